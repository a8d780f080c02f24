"""Whether words of a model's own say what the cited words say: parties, polarity, modality, conditions, numbers."""

from collections import Counter
from collections.abc import Iterator, Sequence

from tests.eval.amounts import is_unit, misquoted
from tests.eval.language import CONDITIONS, MODALS, NEGATIONS, PARTIES, stem, tokens
from tests.eval.statements import Action, Segment, is_content, sentences
from tests.eval.terms import LIGHT, canonical, term

# A condition is there if this share of its own content words is.
_LEAST_OF_CONDITION = 0.5


def distortion(point: str, cited: str) -> str:
    """What a point says otherwise than the words that it cites; empty if nothing.

    Args:
        point: the point, in a model's own words.
        cited: the words that it cites.
    """
    theirs = sentences(tokens(cited))
    mine = sentences(tokens(point))
    statements = _covered(mine, theirs)
    checks = (_additions, _measures, _polarity, _modality, _conditions, _roles)
    return next((found for check in checks if (found := check(mine, statements))), "")


Sentences = list[list[Segment]]


def _covered(mine: Sentences, theirs: Sentences) -> Sentences:
    """The statements of the source that the point is about, each with the conditions that its sentence begins with."""
    options = [statement for sentence in theirs for statement in _statements(sentence)]
    chosen: set[int] = set()
    for sentence in mine:
        wanted = Counter(_terms(sentence))
        while wanted and options:
            gains = [(wanted & Counter(_terms(option))).total() for option in options]
            best = max(range(len(options)), key=gains.__getitem__)
            if best in chosen or not gains[best]:
                break
            chosen.add(best)
            wanted -= Counter(_terms(options[best]))
    return [options[place] for place in sorted(chosen)]


def _statements(sentence: list[Segment]) -> Iterator[list[Segment]]:
    """The sentence, divided where "and" or "but" begins another main clause."""
    first = sentence[0]
    shared = [first] if first.marker and len(sentence) > 1 else []
    current: list[Segment] = []
    for segment in sentence:
        if current and not segment.marker and _begins_a_clause(segment.words) and any(not s.marker for s in current):
            yield current
            current = list(shared)
        current.append(segment)
    yield current


def _begins_a_clause(words: Sequence[str]) -> bool:
    if words[0] not in ("and", "or", "but", "then"):
        return False
    verbs = MODALS | {"is", "are", "be"}
    return words[1:2] != [] and (words[1] in PARTIES or any(word in verbs for word in words[2:5]))


def _flat(statements: Sentences) -> list[Segment]:
    return [segment for statement in statements for segment in statement]


def _terms(segments: Sequence[Segment]) -> list[str]:
    """What the content words count as, without the units of numbers: "24 months" may be "two years"."""
    return [
        term(word)
        for segment in segments
        for before, word, after in zip(["", *segment.words], segment.words, [*segment.words[1:], ""], strict=False)
        if is_content(word) and not (is_unit(word) and (before[:1].isdigit() or after[:1].isdigit()))
    ]


def _words(statements: Sentences) -> list[str]:
    """All tokens, with the markers of conditions."""
    return [
        word for segment in _flat(statements) for word in ([segment.marker] if segment.marker else []) + segment.words
    ]


def _additions(mine: Sentences, theirs: Sentences) -> str:
    """A content word that the source does not have, or has less often."""
    known = Counter(_terms(_flat(theirs)))
    own = Counter(_terms(_flat(mine)))
    for word, count in own.items():
        implied = word == stem("pay") and known[stem("cost")] and "YOU" in _words(mine)
        if word not in LIGHT and not implied and not known[word] and not _compound(word, known):
            return f"“{word}” is not in the cited words"
        if count > max(known[word], 1) and word not in LIGHT and not implied:
            return f"“{word}” is said {count} times"
    return ""


def _compound(word: str, known: Counter[str]) -> bool:
    """Whether a word is made of one that is known: "nonrefundable", "email" for "mail"."""
    return any(len(other) > 4 and (word.endswith(other) or other.startswith(word)) for other in known)


def _measures(mine: Sentences, theirs: Sentences) -> str:
    return misquoted(_words(mine), _words(theirs))


def _polarity(mine: Sentences, theirs: Sentences) -> str:
    """More or fewer negations, or one about something else."""
    own, source = ([word for word in _words(each) if word in NEGATIONS] for each in (mine, theirs))
    if len(own) != len(source) + _turned(mine, theirs):
        return "it denies something else"
    denied, affirmed = _by_polarity(mine), _by_polarity(theirs)
    for word in denied.keys() & affirmed.keys():
        if denied[word] != affirmed[word] and len(denied[word]) == len(affirmed[word]) == 1 and len(source) > 1:
            return f"“{word}” is denied on one side alone"
    return ""


def _by_polarity(statements: Sentences) -> dict[str, set[bool]]:
    found: dict[str, set[bool]] = {}
    for action in _actions(statements):
        found.setdefault(_canonical(action), set()).add(action.denied)
    return found


def _modality(mine: Sentences, theirs: Sentences) -> str:
    """What may be done has to be done, or the other way round."""
    own, source = (Counter(word for word in _words(each) if word in MODALS) for each in (mine, theirs))
    for modal in ("MAY", "NEEDNOT"):
        if bool(own[modal]) != bool(source[modal]):
            return f"{modal} is on one side alone"
    if own["MUST"] > source["MUST"] and source["FORBID"] > own["FORBID"]:
        return "what is forbidden is only not required"
    of_source = {_canonical(action): action.modal for action in _actions(theirs)}
    for action in _actions(mine):
        there = of_source.get(_canonical(action), action.modal)
        if {action.modal, there} == {"MAY", "MUST"}:
            return f"“{action.term}” is a choice on one side alone"
    return ""


_GROUPS = {"UNTIL": "BEFORE"}


def _conditions(mine: Sentences, theirs: Sentences) -> str:
    """A condition, exception, deadline or reason that is left out, or one that is invented."""
    own, source = _markers(mine), _markers(theirs)
    turned = _turned(mine, theirs)
    own.update(UNLESS=turned, IF=-turned)  # "if you do not object" for "unless you object"
    for marker, count in source.items():
        if own[marker] < count and not _otherwise_said(marker, mine):
            return f"{marker} is left out"
    for marker, count in own.items():
        other = marker == "IF" and source["AFTER"] + source["WITHIN"]
        if count > source[marker] and not other and not _implied(marker, theirs):
            return f"{marker} is not in the cited words"
    said = set(_terms(_flat(mine)))
    for segment in _flat(theirs):
        wanted = set(_terms([segment])) - LIGHT
        if segment.marker and wanted and len(wanted & said) < _LEAST_OF_CONDITION * len(wanted):
            return f"what follows {segment.marker} is left out"
    return ""


def _markers(statements: Sentences) -> Counter[str]:
    return Counter(_GROUPS.get(word, word) for word in _words(statements) if word in CONDITIONS)


def _turned(mine: Sentences, theirs: Sentences) -> int:
    """How often "unless" became "if not"."""
    own, source = _markers(mine), _markers(theirs)
    return max(0, min(source["UNLESS"] - own["UNLESS"], own["IF"] - source["IF"]))


def _otherwise_said(marker: str, mine: Sentences) -> bool:
    """Whether a condition is in words without a marker: "for", "by" a date, "over 10 days", "more than"."""
    words = set(_words(mine))
    others = {"ATLEAST": {"over", "from"}, "WITHIN": {"by"}, "AFTER": {"from", "of", "over", "then"}, "BEFORE": {"by"}}
    return bool(others.get(marker, set()) & words)


def _implied(marker: str, theirs: Sentences) -> bool:
    words = set(_words(theirs))
    others = {"WITHIN": {"by"}, "BEFORE": {"by"}, "IF": {"for", "on"}, "AFTER": {"from", "then", "of", "on"}}
    lacks = marker != "AFTER" or not _markers(theirs)["BEFORE"]
    return lacks and bool(others.get(marker, set()) & words)


def _roles(mine: Sentences, theirs: Sentences) -> str:
    """Somebody else does it, gets it or has it."""
    own, source = _sides(mine), _sides(theirs)
    if (own - source and source - own) and own.total() >= source.total():
        return "it is about other parties"
    known: dict[str, list[Action]] = {}
    for action in _actions(theirs):
        known.setdefault(_canonical(action), []).append(action)
    for action in _actions(mine):
        same = [each for each in known.get(_canonical(action), []) if each.verb or not action.verb]
        if same and not any(_same_roles(action, each) for each in same):
            return f"“{action.term}” has other parties"
    return ""


def _sides(statements: Sentences) -> Counter[str]:
    """How often each side is named, by itself or as an owner."""
    sides = {"WE": "we", "OURS": "we", "YOU": "you", "YOURS": "you"}
    return Counter(sides[word] for word in _words(statements) if word in sides)


def _same_roles(mine: Action, theirs: Action) -> bool:
    if mine.owner and theirs.owner and mine.owner != theirs.owner:
        return False
    if not mine.verb:
        return True
    own, other = mine.agent & PARTIES, theirs.agent & PARTIES
    if own and other and own != other:
        return False
    if own and not other and theirs.agent and not theirs.passive:
        return False
    if other and not own and mine.agent and not mine.passive:
        return False
    return not (mine.object and theirs.object and mine.object != theirs.object)


def _actions(statements: Sentences) -> Iterator[Action]:
    return (action for segment in _flat(statements) for action in segment.actions)


def _canonical(action: Action) -> str:
    return canonical(action.term)
