"""Which parts of a web page are not its document: menus, banners, forms' controls, and what nobody sees.

Only what is known to be no part of a document is left out. A part that is long, or has no links and no telling name,
stays: losing a clause is worse than reading a menu.
"""

import re

from selectolax.lexbor import LexborNode

_NEVER = {
    "script", "style", "noscript", "template", "svg", "iframe", "object", "embed", "video", "audio", "canvas", "map",
    "input", "datalist", "progress", "meter", "head", "nav", "del", "s", "strike", "-comment", "menu", "math",
}  # fmt: skip
_WHOLE_PAGE = {"html", "body", "main", "article"}
_TELLING = {"footer", "header", "button", "dialog", "textarea"}  # even without attributes
_ROLES = {
    "navigation", "search", "alertdialog", "dialog", "menu", "menubar", "toolbar", "tablist", "banner", "contentinfo",
}  # fmt: skip
_NAMES = re.compile(
    r"(?:^|[-_ ])(?:nav(?:bar|igation)?|menu|breadcrumbs?|(?:site-?|page-?)?footer|skip-?(?:link|to)\w*|shar(?:e|ing)"
    r"|social(?:-?(?:links|media|share))?|pag(?:ination|er)|newsletter|related|comments?|sitemap|masthead|site-?header)"
    r"(?:$|[-_ ])",
    re.IGNORECASE,
)
_CONSENT_TOOLS = re.compile(
    r"onetrust|ot-sdk|cookiebot|cybotcookie|didomi|usercentrics|truste|qc-cmp|sp_message|osano|termly", re.IGNORECASE
)
_COOKIES = re.compile(
    r"(?:cookies?|consent|gdpr|ccpa|privacy)[-_ ]?(?:banner|bar|notice|popup|pop-up|modal|dialog|overlay|consent"
    r"|message|prompt|layer|box|alert|wall|manager|law)|(?:^| )cc-(?:window|banner)|\bcmp(?:box|-)",
    re.IGNORECASE,
)
_LONG = 1500  # characters of a part that is kept whatever it is called, unless it is all links
_LONG_HIDDEN = 200  # accordions hide long texts until they are opened
_LONGEST_BANNER = 4000
_SENTENCE = re.compile(r"[^\W\d_][^.!?]{20,}[.!?](?:\s|\Z)")
_MENU_SHARE = 0.6  # share of a menu's text that is links
_FEWEST_ITEMS, _ALL_LINKS = 3, 0.9
# Parts within parts are measured again and again. After this many characters none is left out any more.
_MOST_MEASURED = 50_000_000


class Boilerplate:
    """Tells what to leave out of one page."""

    def __init__(self) -> None:
        self._measured = 0

    def includes(self, node: LexborNode, tag: str) -> bool:
        """Whether an element is left out, with all that is in it.

        Args:
            node: the element.
            tag: its name.
        """
        if tag in _NEVER:
            return True
        if tag in _WHOLE_PAGE:
            return False
        attributes = node.attributes
        if self._measured > _MOST_MEASURED or not (attributes or tag in _TELLING):
            return False
        return self._is_hidden(node, attributes) or self._is_named(node, tag, attributes)

    def is_menu(self, node: LexborNode, *, begun: bool) -> bool:
        """Whether a list is a table of contents, or a menu before the document.

        Args:
            node: a list.
            begun: whether a paragraph of the document was read already.
        """
        items = sum(child.tag == "li" for child in node.iter())
        if items < _FEWEST_ITEMS or self._measured > _MOST_MEASURED or self._link_share(node) < _ALL_LINKS:
            return False
        return not begun or all((link.attributes.get("href") or "").startswith("#") for link in node.css("a"))

    def _is_hidden(self, node: LexborNode, attributes: dict[str, str | None]) -> bool:
        style = (attributes.get("style") or "").replace(" ", "").lower()
        hidden = "hidden" in attributes or attributes.get("aria-hidden") == "true" or "display:none" in style
        if not hidden or self._length(node) >= _LONG_HIDDEN:
            return False
        return _SENTENCE.search(node.text()) is None or _has_controls(node)

    def _is_named(self, node: LexborNode, tag: str, attributes: dict[str, str | None]) -> bool:
        """Whether an element's tag, role or name says that it is no part of the document."""
        if tag == "textarea":
            return self._length(node) < _LONG_HIDDEN
        if tag == "button":
            return not _within(node, _TITLES)
        names = f"{attributes.get('id') or ''} {attributes.get('class') or ''}"
        if _CONSENT_TOOLS.search(names):
            return self._is_banner(node)
        is_cookies = _COOKIES.search(names) is not None and self._is_banner(node)
        told = tag in _TELLING or (attributes.get("role") or "").lower() in _ROLES or _NAMES.search(names) is not None
        if not (is_cookies or told) or (tag in ("header", "footer") and _within(node, _ARTICLES)):
            return False
        if node.css_first("h1") is not None or self._is_section(node, tag, attributes):
            return False
        return is_cookies or self._length(node) < _LONG or self._link_share(node) > _MENU_SHARE

    def _is_banner(self, node: LexborNode) -> bool:
        return self._length(node) < _LONGEST_BANNER and node.css_first("h1") is None

    def _is_section(self, node: LexborNode, tag: str, attributes: dict[str, str | None]) -> bool:
        """Whether a part is text and not links and controls, whatever its name: a section may be called "sharing"."""
        if tag in _TELLING or attributes.get("role"):
            return False
        placed = node.css_first("h2, h3, h4") is not None or _within(node, _ARTICLES)
        if not placed or node.css_first("p, li") is None or _has_controls(node):
            return False
        return self._link_share(node) < _MENU_SHARE

    def _length(self, node: LexborNode) -> int:
        text = node.text()
        self._measured += len(text)
        return len(text.strip())

    def _link_share(self, node: LexborNode) -> float:
        """The share of an element's text that is in links."""
        whole = len("".join(node.text().split()))
        self._measured += whole
        links = sum(len("".join(link.text().split())) for link in node.css("a"))
        return links / whole if whole else 1.0


_TITLES = {"h1", "h2", "h3", "h4", "h5", "h6", "summary", "dt"}
_ARTICLES = {"main", "article"}


def _has_controls(node: LexborNode) -> bool:
    return node.css_first("button, input, form") is not None


def _within(node: LexborNode, tags: set[str]) -> bool:
    parent = node.parent
    while parent is not None:
        if parent.tag in tags:
            return True
        parent = parent.parent
    return False
