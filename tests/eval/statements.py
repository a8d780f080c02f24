"""What a text states, as the judge reads it: who does what to whom, how it is limited, and what its numbers measure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tests.eval.language import CONDITIONS, ENDS, MODALS, NEGATIONS, PARTIES, stem, word_set

_AUXILIARIES = word_set("is are be been being was were am has have had do does did get gets")
_BE = word_set("is are be been being was were get gets")
_PREPOSITIONS = word_set("to from with for by of on at about against through under in into between than")
_PARTICIPLES = word_set("paid kept sent made given held told sold taken shown lost put set due owed borne left")
_JOINS = word_set("and or but so then")
_PRONOUNS = word_set("that which who whom")
_FUNCTION = (
    _AUXILIARIES
    | _PREPOSITIONS
    | _JOINS
    | _PRONOUNS
    | word_set("""a an the this these those such it its they them their he she his her any all each every some other another
        both either more most also as there here own same very well even too still yet up down out off over again per
        what whose how why i s t re ve ll d us""")
)
_SEGMENT_MARKS = frozenset(",:()") | ENDS
_OWNED = {"OURS": "WE", "YOURS": "YOU"}
_CLOSE = 2  # words between a verb and its object, or a noun and its owner


@dataclass
class Action:
    """A content word and its surroundings.

    Args:
        term: its stem.
        agent: who does it: WE, YOU, the stems of a noun, or nothing if that is not said.
        object: the party right after it, or that it happens to; empty if there is none.
        owner: WE or YOU if it is theirs ("your data"); empty if that is not said.
        verb: whether it stands where a verb does: after a subject, a modal, a negation or "to", or joined to a verb.
        passive: whether it happens without anybody being said to do it.
        denied: whether a negation comes before it in its part of the sentence.
        modal: the modal before it in its part of the sentence; empty if there is none.
    """

    term: str
    agent: frozenset[str] = frozenset()
    object: str = ""
    owner: str = ""
    verb: bool = False
    passive: bool = False
    denied: bool = False
    modal: str = ""


@dataclass
class Segment:
    """A part of a sentence between punctuation marks and conditions.

    Args:
        marker: the condition that it begins with; empty if it is none.
        words: its tokens.
        actions: its content words.
    """

    marker: str = ""
    words: list[str] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)

    @property
    def terms(self) -> set[str]:
        """The stems of its content words."""
        return {action.term for action in self.actions}


def is_content(token: str) -> bool:
    """Whether a token is a word that carries meaning, and neither a number nor a mark."""
    return token[0].isalpha() and token.islower() and token not in _FUNCTION


def sentences(words: Sequence[str]) -> list[list[Segment]]:
    """The segments of each sentence of a text; a semicolon ends a sentence, too."""
    found: list[list[Segment]] = []
    current: list[str] = []
    for word in words:
        if word in ENDS:
            found.append(_segments(current))
            current = []
        else:
            current.append(word)
    found.append(_segments(current))
    return [sentence for sentence in found if any(segment.words for segment in sentence)]


def _segments(words: Sequence[str]) -> list[Segment]:
    segments = [Segment()]
    for word in words:
        if word in CONDITIONS - {"ATLEAST", "ATMOST", "ONLY"}:
            segments.append(Segment(word))
        elif word in _SEGMENT_MARKS:
            segments.append(Segment())
        else:
            segments[-1].words.append(word)
    kept = [segment for segment in segments if segment.words]
    before = None
    for segment in kept:
        segment.actions = list(_actions(segment, before))
        before = segment
    return kept


def _actions(segment: Segment, before: Segment | None) -> Iterator[Action]:
    words = segment.words
    state = _State(agent=_inherited(words, before))
    for place, word in enumerate(words):
        state.read(words, place)
        if is_content(word):
            yield state.action(words, place)
            state.seen.append(stem(word))


@dataclass
class _State:
    """What was read of a segment so far."""

    agent: frozenset[str]
    modal: str = ""
    denied: bool = False
    passive: bool = False
    verb: bool = False
    seen: list[str] = field(default_factory=list)

    def read(self, words: Sequence[str], place: int) -> None:
        """Take the next word."""
        word = words[place]
        if word in PARTIES and self._is_subject(words, place):
            self.agent, self.denied, self.modal, self.passive = (
                frozenset({word}),
                self.denied and not self.seen,
                "",
                False,
            )
            self.seen = []
        elif word in MODALS or word in _AUXILIARIES:
            if self.seen and not self.agent & PARTIES:
                self.agent = frozenset(self.seen[-2:])
            self.passive = word in _BE
            self.modal = word if word in MODALS else self.modal
        self.denied = self.denied or word in NEGATIONS

    def action(self, words: Sequence[str], place: int) -> Action:
        """The content word at a place."""
        word = words[place]
        happens = self.passive and (word.endswith(("ed", "en", "able", "ible")) or word in _PARTICIPLES)
        doer = _by(words[place:])
        after, around = words[place + 1 : place + 1 + _CLOSE], words[max(place - _CLOSE, 0) : place]
        passive_object = "".join(self.agent & PARTIES) if happens else ""
        self.verb = happens or self._is_verb(words, place)
        return Action(
            stem(word),
            doer if happens else self.agent or self._noun_before(words, place),
            next((each for each in after if each in PARTIES), "") or passive_object,
            next((_OWNED[each] for each in around if each in _OWNED), ""),
            self.verb,
            happens and not doer,
            self.denied,
            self.modal,
        )

    def _noun_before(self, words: Sequence[str], place: int) -> frozenset[str]:
        """The subject of a verb without an auxiliary: "repeat infringers lose"."""
        return frozenset(self.seen[-2:] if place and is_content(words[place - 1]) else ())

    def _is_verb(self, words: Sequence[str], place: int) -> bool:
        previous = words[place - 1] if place else ""
        if previous in PARTIES:
            return self.agent == {previous}
        joined = self.verb and previous in ("and", "or")
        return (
            (not self.seen and place == 0) or previous in MODALS or previous in ("NOT", "to", "not", "ONLY") or joined
        )

    def _is_subject(self, words: Sequence[str], place: int) -> bool:
        previous = words[place - 1] if place else ""
        following = words[place + 1] if place + 1 < len(words) else ""
        if previous in _PREPOSITIONS:
            return False
        if not self.seen or previous in _JOINS or previous in _PRONOUNS or previous in CONDITIONS:
            return True
        return following in MODALS or following in _AUXILIARIES or following in NEGATIONS


def _inherited(words: Sequence[str], before: Segment | None) -> frozenset[str]:
    """The agent of the segment before, where this one goes on with a verb: "…, and charge a fee"."""
    if before is None or not before.actions or words[0] not in _JOINS:
        return frozenset()
    return before.actions[-1].agent if not PARTIES & set(words[1:3]) else frozenset()


def _by(words: Sequence[str]) -> frozenset[str]:
    """Who does something that happens "by" somebody."""
    for place, word in enumerate(words[:-1]):
        if word == "by" and words[place + 1] in PARTIES:
            return frozenset({words[place + 1]})
    return frozenset()
