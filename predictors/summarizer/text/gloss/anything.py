"""What is said of whom, whatever it is about; these leave the topic to the words."""

from predictors.summarizer.text.gloss import words as w
from predictors.summarizer.text.gloss.rule import rule

RULES = (
    rule("", "How a word is meant here.", r"[\"“][^\"“”]{1,60}[\"”] (?:means?|is|has the meaning)\b"),
    rule(
        "",
        "A percentage that counts for you.",
        r"\d ?(?:%|percent)",
        r"\b(?:fees?|charges?|rate|price|amount|sum|interest|pay)\w*\b",
        bars=(
            r"\b(?:not|no|never)\b",
            r"paid to you",
        ),
    ),
    rule(
        "cost",
        "When and how you pay.",
        rf"\b(?:you|{w.YOU})\b[^.;]{{0,20}}\b(?:pays?|must pay|owes?)\b|\b(?:payable|due|"
        r"in advance|instal?lments?|invoices?|bills?|billed)\b",
        r"\b(?:pay\w*|fees?|rent|price|bill\w*|charges?|sums?|amounts?|premium)\b",
        bars=(
            r"\b(?:not|no|never|due (?:to|date of birth)|we (?:pay|will pay)|claim)\b",
            r"\bnothing\b",
        ),
    ),
    rule(
        "",
        "What happens if you don't.",
        r"\bif you (?:do not|fail|have not|are not)\b|\bfailing which\b|\bfail(?:s|ure)? to\b|"
        r"\bunless (?:you|the (?:tenant|renter|member|customer|subscriber|student))\b",
        bars=(
            (
                r"\b(?:cannot|not|never)\b[^.;]{0,60}\bunless\b|if you have not been|\bnothing happens|"
                r"nothing with"
            ),
        ),
    ),
    rule(
        "",
        "Something they will not do.",
        r"\bwe (?:do|will|shall|may|can) ?not\b|\bwe never\b|\bwe are not (?:obliged|required|"
        r"bound|able)",
    ),
    rule(
        "",
        "Something they may do.",
        r"\bwe (?:may|can|might|reserve the right|are entitled|are free)\b|\b(?:landlord|bank|"
        r"agent|insurer|carrier|lender) may\b",
        bars=(
            r"\bwe (?:may|can) ?not\b",
            r"\bmay (?:not|never)\b|\bmay, ",
        ),
    ),
    rule(
        "",
        "Something you may do.",
        rf"\b(?:you|{w.YOU}) (?:may|can|are entitled|is entitled|have the right|has the right|"
        r"are free|are welcome)\b",
        bars=(r"\b(?:may|can) ?not\b|\bunless\b",),
    ),
    rule(
        "",
        "What they undertake to do.",
        r"\bwe (?:will|shall|must|undertake|promise|aim)\b",
        bars=(
            r"\bnot\b",
            r"\bnothing\b",
        ),
    ),
    rule(
        "",
        "Something they do.",
        r"\bwe (?:\w+ ){0,2}?(?:collect|use|share|keep|charge|check|send|give|take|need|ask|pay|"
        r"provide|store|process|make|show|offer|work|run|treat|release|post|reject|add|apply|"
        r"decide|choose|credit|convert)\b",
        bars=(
            r"\bnot\b|\bunless\b",
            (
                r"\bwe (?:make |keep |use |share |take |give |collect |record |send |store )(?:no|nothing|"
                r"none)\b"
            ),
        ),
    ),
)
