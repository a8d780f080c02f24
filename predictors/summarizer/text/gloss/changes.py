"""Changes: of terms, of prices, and of what one gets."""

from predictors.summarizer.text.gloss import words as w
from predictors.summarizer.text.gloss.rule import rule

RULES = (
    rule(
        "changes",
        "Going on using it counts as agreeing.",
        r"\b(?:continu\w+|keep|go on|going on|further)\b[^.;]{0,30}\bus(?:e|ing)\b|by using|"
        r"using (?:the|our) \w+ after",
        r"\b(?:accept\w*|agree[sd]?|consent\w*|means that|binds?|bound|deemed)\b",
        bars=(
            r"\b(?:does|do|is|are|will) not\b[^.;]{0,20}(?:accept|agree|mean|consent)",
            r"\bnot mean|does not mean",
        ),
    ),
    rule(
        "changes",
        "The price can go up.",
        rf"\b(?:we|{w.THEM})\b[^.;]{{0,40}}\b(?:may|can|will|shall|reserve\w*|entitled|"
        rf"then)\b[^.;]{{0,30}}\b(?:rais|increas|put up)\w*\b[^.;]{{0,60}}{w.PRICE}|"
        rf"{w.PRICE}[^.;]{{0,40}}\b(?:is raised|(?:may|will|can|shall) (?:be )?(?:raised|increased|"
        r"increase|rise|go up)|goes up|rises) (?:by|each|every|once|on|at|after|from)|(?:price|"
        r"rent|premium|fee) increase",
        bars=(
            r"\b(?:not|never|no)\b[^.;]{0,25}(?:rais|increas|rise|go up)|fixed for|we pay\b|in the meantime",
            (
                r"only if you|do not apply|without raising|if (?:we|the|your)? ?(?:prices?|fees?|rents?)? "
                r"?(?:increase|raise)"
            ),
        ),
    ),
    rule(
        "changes",
        "The price can change.",
        rf"\bwe (?:may|can|will|reserve|are entitled)\b[^.;]{{0,60}}\b(?:chang|adjust|revis|review|"
        rf"vary|alter|set)\w*\b[^.;]{{0,40}}{w.PRICE}|{w.PRICE} (?:may|can|"
        r"is subject to) (?:\w+ )?chang",
        bars=(
            r"\b(?:may|can|will|shall) (?:not|never)|cannot",
            r"\bonly\b|lower|down\b",
        ),
    ),
    rule(
        "changes",
        "The terms can change.",
        rf"\b(?:we|{w.THEM})\b[^.;]{{0,40}}\b(?:may|can|will|shall|reserve\w*|right to|entitled to|"
        rf"free to)\b[^.;]{{0,60}}\b(?:chang|modif|amend|updat|revis|vary|alter|"
        rf"replac)\w*\b[^.;]{{0,60}}\b(?:terms|agreement|conditions|polic(?:y|ies)|contract|rules|"
        r"statement)\b|\b(?:terms|agreement|conditions|policy|contract|rules)\b (?:may|"
        r"can) (?:be )?(?:chang|modif|amend|updat|revis|var|alter)|if we (?:change|amend|"
        r"update) (?:these|the|this)",
        bars=(
            (
                r"\b(?:may|can|will|shall) (?:not|never) (?:be )?(?:chang|modif|amend|updat|revis|var|"
                r"alter)|\bno (?:\w+ ){0,6}may\b|you may not|cannot|address"
            ),
            r"only (?:if|with|in your)|both of us|you agree",
        ),
    ),
    rule(
        "changes",
        "They can change or drop part of what you get.",
        rf"\b(?:we|{w.THEM})\b[^.;]{{0,30}}\b(?:may|can|reserve|right to|are entitled|is entitled|"
        rf"free to)\b[^.;]{{0,60}}\b(?:chang|discontinu|withdraw|stop|remove|swap|substitut|"
        rf"reschedul|alter|replac|modif|limit|drop)\w*\b[^.;]{{0,60}}\b(?:features?|services?|"
        r"content|products?|channels?|timetables?|ingredients?|flights?|routes?|hours|parts?|"
        r"courses?|tours?|vehicles?|equipment|programmes?|programs?|classes|teachers?|functions?|"
        r"models?|benefits?)\b",
        bars=(
            r"\b(?:may|can) (?:not|never)|cannot|your content|licen[cs]e",
            r"\bonly\b|abuse",
        ),
    ),
)
