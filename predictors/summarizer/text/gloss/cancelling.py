"""Cancelling: leaving, notice, withdrawal and refunds."""

from predictors.summarizer.text.gloss import words as w
from predictors.summarizer.text.gloss.rule import rule

RULES = (
    rule(
        "cancelling",
        "Doing just that does not cancel it.",
        r"\b(?:delet|uninstall|remov|ceas|stop|return|not (?:using|"
        r"paying))\w*\b[^.;]{0,80}\b(?:does|do|will|is|are) not (?:\w+ )?(?:cancel|end|count|"
        r"terminat)",
    ),
    rule(
        "cancelling",
        "You can't change your mind about this.",
        r"\b(?:right of withdrawal|cooling[- ]off|right to (?:cancel|withdraw)|"
        r"withdrawal right)\b[^.;]{0,80}\b(?:does not apply|do not apply|lapses?|is lost|ends|"
        r"expires|excluded)|no right (?:of withdrawal|to (?:cancel|withdraw))|"
        r"\blose\b[^.;]{0,40}right (?:to|of) (?:withdraw|cancel)",
    ),
    rule(
        "cancelling",
        "You can change your mind within a set time.",
        r"cooling[- ]off|right of withdrawal|right to withdraw|change your mind|\b(?:withdraw|"
        rf"cancel)\w*\b[^.;]{{0,80}}without giving (?:a|any) reason|\b(?:cancel|"
        rf"withdraw)\b[^.;]{{0,40}}\bwithin (?:the )?(?:first )?{w.NUMBER} ?{w.TIME}",
        r"\b(?:may|can|have|has|within|right)\b",
        w.TIME,
        bars=(
            r"\b(?:not|never|no|cannot|lose|lapses?|expires?|consent)\b|\bwhen (?:you|i) withdraw\b",
            r"\bwe (?:may|can|will|have)\b|\brejoin",
        ),
    ),
    rule(
        "cancelling",
        "Money back only in some cases.",
        r"\b(?:(?:do|does|will|shall) not (?:\w+ )?(?:give|offer|provide|make|issue|"
        r"pay) [^.;]{0,20}refunds?|no (?:\w+ )?refunds?|not (?:be )?(?:refund|reimburs|"
        r"repaid)\w*|(?:deposit|fees?|price|charges?|payments?|sums?|premium) (?:\w+ ){0,4}not (?:be )?returned|"
        r"non-?refundable|refunds? (?:in money )?(?:is|are) (?:made|given|due) only|"
        r"refund\w* only|only (?:\w+ ){0,4}refund)",
        r"\b(?:unless|except|only|however|but|save|other than|apart from|if|where)\b",
    ),
    rule(
        "cancelling",
        "No money back.",
        r"\bno (?:\w+ )?refunds?\b|\bnot (?:be )?(?:refund|reimburs)\w*|\bnon-?refundable|(?:do|"
        r"does|will|shall) not (?:\w+ )?(?:give|offer|provide|make|issue|pay) [^.;]{0,20}refund|"
        r"no part of [^.;]{0,60}(?:return|refund|repaid)|without (?:a |any )?refund|"
        r"refunds? (?:is|are) not|cannot be refunded|sales are final|(?:fee|charge|payment|price|"
        r"premium|contribution|amount)s? (?:\w+ ){0,6}(?:is|are) not (?:returned|repaid|refunded)",
    ),
    rule(
        "cancelling",
        "You get money back in this case.",
        r"\b(?:we|school|landlord|seller|carrier|insurer|company|bank|club|lessor|agency|hotel|"
        r"organi[sz]er) (?:will |shall |may |can |then |also )?(?:refunds?|reimburses?|repays?|"
        r"credits?|gives? (?:you )?(?:your |the )?money back|returns? the (?:fee|price|fare|money|"
        r"value|face value|amount))\b|\byou (?:may |can |will |shall |are |get |receive |"
        r"have )(?:\w+ ){0,3}(?:money back|(?:full |partial |pro[- ]rata )?refund\b|refunded|"
        r"repaid|reimbursed)|(?:full|partial|pro[- ]?rata) refund|\bis (?:refunded|repaid|"
        r"credited) (?:in full|within)|"
        r"(?:deposit|fees?|price|charges?|payments?|sums?|premium|money|balance) (?:\w+ ){0,4}returned (?:in full|"
        r"within)",
        bars=(
            r"\b(?:not|no|never|nor|neither|without|cannot|lose|chargeback|credit check)\b",
            r"\bless\b\Z",
        ),
    ),
    rule(
        "cancelling",
        "To leave, you must give notice.",
        rf"\b(?:you|{w.YOU}|either (?:party|side|of us))\b[^.;]{{0,50}}\b(?:cancel|end|terminate|"
        rf"leave|close)\b[^.;]{{0,80}}\bnotice|\bnotice must be given|unless (?:you|"
        rf"the \w+)[^.;]{{0,40}}\bnotice|(?:you|{w.YOU}) (?:must|has to|have to|"
        rf"shall) (?:\w+ )?give [^.;]{{0,40}}notice",
        bars=(r"without (?:\w+ )?notice|\bno notice|\bnot (?:need|require|have to)\b[^.;]{0,20}notice",),
    ),
    rule(
        "cancelling",
        "You have to cancel in time.",
        rf"\b(?:you|{w.YOU})\b[^.;]{{0,80}}\b(?:cancel|switch off|turn (?:it|this)? ?off|end|skip|"
        rf"stop)\b[^.;]{{0,80}}\b(?:before|at least|no later than|until|up to|prior)\b|"
        rf"\b(?:cancel\w*|switch off|turn (?:it )?off)\b[^.;]{{0,60}}\b(?:at least|no later than)\b",
        w.TIME,
        bars=(
            r"\bwe (?:may|can|will) (?:cancel|end|stop)|without charge",
            r"\bif you cancel\b|\bwe (?:will )?(?:pay|refund)",
        ),
    ),
    rule(
        "cancelling",
        "You can end it whenever you like.",
        rf"\b(?:you|{w.YOU}|either (?:party|side|of us))\b[^.;]{{0,20}}\b(?:may|"
        rf"can)\b[^.;]{{0,30}}\b(?:cancel|end|terminate|close|leave|quit|"
        rf"delete)\b[^.;]{{0,60}}\b(?:at any time|any time|whenever)",
        bars=(
            r"\b(?:not|only|unless|except)\b|we (?:may|can)",
            (
                r"\b(?:any time|whenever[^.;]{0,20}) (?:after|before|if|but|once)\b|\bbut (?:you|must|owe)|"
                r"\bsubject to\b|ask us to delete|(?:delete|leave) (?:an? |your )?(?:posts?|reviews?|content|"
                r"data|photos?|comments?)\b"
            ),
        ),
    ),
    rule(
        "cancelling",
        "How you can cancel.",
        rf"\b(?:you|{w.YOU})\b[^.;]{{0,20}}\b(?:may|can|must|should|have to|"
        rf"need to)\b[^.;]{{0,30}}\b(?:cancel|close|end|terminate)\b",
        r"\b(?:in the app|in writing|by (?:e-?mail|post|phone|calling|letter|telephone)|"
        r"account (?:page|settings)|settings|online|customer service|through)\b",
        bars=(r"\b(?:not|we (?:may|can|will|shall))\b",),
    ),
    rule(
        "cancelling",
        "Sending things back has its rules.",
        r"\b(?:return|send(?:ing)? back|exchange)\w*\b",
        r"\b(?:items?|goods|products?|purchases?|parcel|unopened|unused|packaging|device)\b",
        bars=(
            r"\bdata|content|information",
            r"need to return|do not need",
        ),
    ),
)
