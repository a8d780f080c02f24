"""What words count as when the judge compares them: stems, and synonyms by a short list."""

from tests.eval.language import stem, word_set

# One group a line: words that a summary may use for one another. None turns who gives into who gets.
_SYNONYMS = """
    pay paid payment payable owe owed
    cost charge fee price surcharge bill charged costs
    cancel terminate end stop close leave termination
    delete erase remove deletion
    share disclose disclosure pass transfer
    give given hand grant provide
    keep kept retain retention hold held store stored
    refund refundable reimburse return money-back
    tell told notify notification notice inform warn say
    data information detail
    buy bought purchase
    lose lost loss forfeit waive
    refuse refusal reject deny decline
    car vehicle
    damage harm
    liable liability responsible responsibility cover
    change alter amend modify revise vary adjust
    renew prolong extend extension continue
    year annual yearly annum
    month monthly
    day daily
    week weekly
    use used using usage
    begin start commence
    raise rise increase
    reduce decrease lower
    let rent lease hire rental
    get receive obtain
    child children minor
    picture photo image photograph
    court sue lawsuit litigation
    licence license
    settle resolve decide decided
    write written writing letter
    person individual someone people somebody anyone
    account profile membership
    partner party
    leave exit quit
    late overdue unpaid
    visit enter
    part portion
    excess exceed over above
    device equipment
    house home flat premise property
    early advance
    worker staff employee
    trial try
    law legal
    collect gather record
"""
_CANONICAL = {stem(word): stem(group.split()[0]) for group in _SYNONYMS.strip().splitlines() for word in group.split()}
# Words of a summary that add nothing.
LIGHT = frozenset(
    map(
        stem,
        word_set("""agreement contract term service section clause document policy make take go come happen apply thing way back
        then around away agree want time lasting mean amount sum per case extra right fully entire whole later still
        already longer long"""),
    )
)


def term(word: str) -> str:
    """What a content word counts as."""
    return canonical(stem(word))


def canonical(stemmed: str) -> str:
    """The first synonym of a stem, or the stem itself."""
    return _CANONICAL.get(stemmed, stemmed)
