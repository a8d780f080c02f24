"""Cost: renewal, fees, deposits, interest and how it is paid."""

from predictors.summarizer.text.gloss import words as w
from predictors.summarizer.text.gloss.rule import rule

RULES = (
    rule(
        "cost",
        "It renews by itself unless you act.",
        r"\brenew\w*\b[^.;]{0,60}\bautomatic|\bautomatic\w*\b[^.;]{0,40}\b(?:renew|extend|"
        r"continu)|\bauto-?renew|renews (?:every|each|for|on)|rolls? (?:over|on) into|"
        r"continues? (?:for (?:a )?further|month to month|until you (?:end|cancel|stop))|"
        r"renews? [^.;]{0,60}(?:unless|until) (?:you|the \w+|cancel)|(?:is|be) (?:renewed|"
        r"extended) (?:for|by) [^.;]{0,60}unless",
        bars=(
            r"\b(?:not|never|no|nor|nothing)\b[^.;]{0,30}(?:renew|extend)",
            (
                r"\b(?:not|never|off by default|only if|if you (?:agree|ask))\b|\b(?:data|minutes|balance|"
                r"leave|days) rolls?"
            ),
        ),
    ),
    rule(
        "cost",
        "When the trial is over, you pay.",
        r"\b(?:trial|introductory|free (?:first )?(?:month|week|period))\b",
        r"\b(?:when|once|after|at the end|ends?|then|over|afterwards|unless)\b",
        r"\b(?:charg|pay|bill|cost|subscription (?:begins|starts)|price)\w*",
        bars=(
            r"\b(?:not|never|no)\b[^.;]{0,20}(?:charg|pay|bill)",
            r"\bnothing\b|\bchoose\b|\bnot convert|unless you (?:choose|enter|subscribe|buy)",
        ),
    ),
    rule(
        "cost",
        "You are bound for a minimum time.",
        r"\bminimum (?:contract |subscription |rental |hire )?(?:term|period|commitment|duration)|"
        r"\b(?:initial|fixed|minimum) (?:term|period) of\b|\bcommitted? (?:for|to) (?:a|"
        r"the)? ?(?:term|period|minimum)",
        bars=(
            (
                r"\b(?:no|without|not|after|once|before)\b[^.;]{0,20}\b(?:minimum|initial)\b|"
                r"minimum term (?:is over|expires|has passed)"
            ),
            r"\b(?:not|waive|other case)\b",
        ),
    ),
    rule(
        "cancelling",
        "Leaving early or cancelling costs money.",
        r"\b(?:cancell?ation|early[- ](?:termination|repayment|exit|closure|return)|exit|"
        r"account closing|closing|settlement) (?:fees?|charges?)\b|\b(?:if|should|where|"
        rf"when) (?:you|the (?:{w.YOU}))(?: \w+)? (?:cancels?|leaves?|ends?|terminates?|withdraws?|"
        rf"moves? out|gives? up)\b[^.;]{{0,90}}\b(?:pays?|paid|payable|owes?|charged?|keep|due|retain)\b",
        rf"{w.MONEY}|\bdue\b|remaining|outstanding|balance|fees?|deposit",
        bars=(
            r"\b(?:no|without|free|not|never)\b|refund|full amount back",
            r"we (?:will )?(?:pay|return|give)|to you\b|[£$€]0\b",
        ),
    ),
    rule(
        "cost",
        "A missed or late payment costs extra.",
        r"\blate[- ]payment|\blate (?:fee|charge)|\b(?:overdue|unpaid|missed|failed|declined|"
        r"refused|bounced|in arrears|default\w*|late)\b[^.;]{0,100}\b(?:interest|fees?|charges?|"
        r"penalt(?:y|ies)|adds?)\b",
        rf"{w.CASH}|percent|%|interest",
        bars=(
            (
                r"\bno (?:late )?(?:fee|charge|interest)|free of charge|late (?:night|cancell?ation|"
                r"return|delivery|application|report)|we bear|\b(?:not|never)\b[^.;]{0,12}charge|waive"
            ),
            (
                r"\bnot add\b|\bwe (?:are|were) late|our payment|\bwe pay\b|to you\b|\A(?:(?!late|unpaid|"
                r"missed|overdue).)*: ?[£$€]\d[^;.]*; |set-?up"
            ),
        ),
    ),
    rule(
        "cost",
        "Unpaid sums can be passed on to collectors or reported.",
        r"debt (?:collect|recover)|collect(?:ion|ing) (?:agenc|firm|compan)|\bcollectors?\b|"
        r"recovery agent|credit (?:bureau|reporting|reference)|consumer reporting",
        r"unpaid|owe|debt|due|pay|default|overdue|charge",
        bars=(r"\b(?:not|never)\b[^.;]{0,20}(?:pass|report|sell)",),
    ),
    rule(
        "cost",
        "Not using it can cost you.",
        r"\b(?:dormancy|inactivity) (?:fee|charge)|(?:not (?:been )?used|no (?:purchase|activity|"
        r"transaction)|inactive)\b[^.;]{0,140}\b(?:fee|charged?|deduct)",
        w.CASH,
        bars=(r"\bno (?:\w+ )?(?:fee|charge)|refund",),
    ),
    rule(
        "cost",
        "A deposit stands as security.",
        r"security deposit|\bdeposit of\b|\b(?:hold|holds|held|block|blocks|blocked|pays?|paid|"
        r"takes?|taken|leave)\b[^.;]{0,40}\bdeposit\b|\bdeposit\b[^.;]{0,60}\b(?:held|deduct\w*|"
        r"released|returned|kept|forfeit|withheld|protected|repaid|refund\w*)|pre-?authori[sz]",
        bars=(
            (
                r"\bno deposit|not (?:need|require|ask for|take)[^.;]{0,15}deposit|direct deposit|"
                r"deposit of (?:wages|funds|money|cash)|deposit scheme"
            ),
            r"waive|\bno deposit|interest[^.;]*paid|only if the law",
        ),
    ),
    rule(
        "cost",
        "Interest on your money is not yours.",
        r"\binterest\b[^.;]{0,60}\b(?:belongs? to (?:us|the \w+|\w+)|is ours|kept by|we keep)",
        bars=(r"belongs? to (?:you|the tenant)(?! not)",),
    ),
    rule(
        "cost",
        "Interest is charged.",
        r"\binterest\b",
        r"\b(?:apr|a year|per year|annual|rate|percent|%|accrues?|daily)\b",
        r"\b(?:charge[sd]?|pay|owe|accrues?|rate)\b",
        bars=(
            r"\bno interest|interest[- ]free|interest is not|yield|pays? you|legitimate interest|earn",
            r"\bwe pay\b|savings|paid to you|\bnot\b",
        ),
    ),
    rule(
        "cost",
        "Other currencies or countries cost extra.",
        r"\b(?:currenc(?:y|ies)|exchange rate|abroad|foreign|roaming|overseas|convert\w*)\b",
        rf"{w.MONEY}",
        r"\b(?:fee|charge[sd]?|margin|mark-?up|plus|cost|surcharge|rate|percentage)\b",
        bars=(r"\bfree\b|\bno (?:fee|charge|extra)|without (?:extra|charge)",),
    ),
    rule(
        "cost",
        "You pay extra for this.",
        r"\b(?:surcharges?|supplement|(?:additional|extra|further|administration|admin|booking|"
        r"service|delivery|handling|processing|convenience|restocking|cleaning|replacement|"
        r"activation|joining|joining|transfer|reconnection|refuelling|platform|enrol?ment|"
        r"registration|shipping|change|amendment) (?:fees?|charges?|costs?))\b",
        w.MONEY,
        bars=(
            r"\b(?:free|no|without|not|waive[sd]?|nor|refund\w*|included)\b",
            r"paid by us|we (?:pay|bear)",
        ),
    ),
    rule(
        "cost",
        "They take the money from your card or account.",
        r"\b(?:charge[sd]?|debit(?:ed|s)?|collect(?:ed|s)?|takes?|taken|deduct(?:ed|s)?|bill(?:ed|"
        r"s)?)\b[^.;]{0,50}\b(?:direct debit|card on file|payment method|(?:your|credit|debit|"
        r"stored) (?:credit |debit |bank |stored )?(?:card|account)|continuous payment authority|"
        r"standing order|available balance)\b|\bdirect debit\b|(?:card|"
        r"payment method)\b[^.;]{0,20}\b(?:is|are|will be) (?:charged|debited)",
        bars=(
            (
                r"\b(?:not|never|no|cannot|stop|bounc\w+|fails?|refund\w*|returned|refused|data|"
                r"information|collected from)\b"
            ),
            r"\bnothing\b",
        ),
    ),
    rule(
        "cost",
        "This is paid month by month.",
        rf"(?:{w.CASH}[^.;]{{0,30}}\b(?:a|per|each|every|/) ?month|monthly (?:\w+ ){{0,3}}(?:fee|"
        rf"price|charge|subscription|rent|payment|rate|premium)[^.;]{{0,40}}{w.CASH})",
        bars=(
            r"\b(?:free|no|not|up to|waived?|refund\w*|may raise|cap(?:ped)?|reduc\w+|earn|we pay)\b",
            (
                r"\b(?:save|receive|get|allowance|benefit|discount|lend|credit(?! card)|we (?:will |shall "
                r")?pay|earn|worth)\b"
            ),
        ),
    ),
    rule(
        "cost",
        "This is paid year by year.",
        rf"{w.CASH}[^.;]{{0,30}}\b(?:a|per|each|every|/) ?year|(?:annual|"
        rf"yearly) (?:\w+ ){{0,3}}(?:fee|price|charge|subscription|payment|"
        rf"premium)[^.;]{{0,40}}{w.CASH}",
        bars=(r"\b(?:free|no|not|up to|waived?|refund\w*|cap(?:ped)?|reduc\w+|earn|we pay)\b",),
    ),
    rule(
        "cost",
        "Taxes come on top.",
        r"\b(?:plus|excluding|exclusive of|do not include|does not include|"
        r"before)\b[^.;]{0,30}\b(?:tax(?:es)?|vat|duties)\b",
        bars=(r"before (?:vat|tax)\b.*\bincluded|include[sd]?\b",),
    ),
    rule(
        "cost",
        "It has no time limit.",
        r"\b(?:never|do not|does not|don't) expire",
        bars=(r"\b(?:unless|until|except|if)\b",),
    ),
    rule(
        "cost",
        "It runs out after a time.",
        r"\b(?:vouchers?|credits?|points?|miles|gift cards?|(?:gift card )?balances?|tokens|coins|"
        r"rewards?|coupons?|tickets?|passes|bonus|discounts?|promotion\w*|"
        r"embers)\b[^.;]{0,80}\b(?:expires?|lapses?|(?:is|are) forfeited|valid (?:for|until)|"
        r"run out|vanish|void after)\b",
        bars=(r"\b(?:not|never|no)\b[^.;]{0,12}(?:expire|lapse)|minimum term",),
    ),
)
