"""Data: what is known of people, how long it is kept, and what they can do about it."""

from predictors.summarizer.text.gloss import words as w
from predictors.summarizer.text.gloss.rule import rule

RULES = (
    rule(
        "data",
        "It may be used to train artificial intelligence.",
        r"\b(?:train\w*|teach|develop|improve)\b[^.;]{0,60}\b(?:artificial intelligence|ai|"
        r"machine[- ]learning|(?:\w+ )?models?|algorithms?)\b",
        bars=(
            r"\b(?:not|never|no)\b",
            r"\bnew models of|car|vehicle",
            r"only if",
        ),
    ),
    rule(
        "data",
        "It is about your face, finger or voice.",
        r"\b(?:biometric\w*|fingerprints?|facial|face[- ](?:map|template|geometry|print|scan)|"
        r"face recognition|voiceprint|voice print|iris scan|map of your face)\b",
        bars=(r"\b(?:not|never|no)\b",),
    ),
    rule(
        "data",
        "It is about your body or health.",
        r"\b(?:health|medical|heart rate|genetic|dna|saliva|blood|sleep (?:data|stages)|disease|"
        r"diagnos\w+|pregnan\w+|menstrual)\b",
        r"\b(?:collect|record|keep|store|process|use|share|questionnaire|data|samples?|measure|"
        r"infer|estimate|analy[sz]e)\w*\b",
        r"\b(?:data|information|details|samples?|questionnaire|readings?|results?|records?|answers)\b",
        bars=(
            r"\b(?:cover|insured|expenses|treatment)\b",
            r"\b(?:not|never|no|nothing)\b",
        ),
    ),
    rule(
        "data",
        "They may know where you are.",
        r"\b(?:location|gps|whereabouts|position)\b",
        r"\b(?:collect|record|track|receive|obtain|log|store|derive|know|measure|see|read|keep|"
        r"use|report|transmit|send)\w*\b",
        r"\b(?:we|our|device|app|vehicle|car|unit|they|it|band|lock|tracker)\b",
        bars=(r"\b(?:not|never|no)\b|\bour location|position (?:of|on|as)|club",),
    ),
    rule(
        "data",
        "Machines take part in decisions about you.",
        r"\bautomat\w+ (?:means|decision|process|system|check|scor)\w*|\balgorithm|\bby automated|"
        r"credit scor|profiling",
        r"\bdeci[ds]\w*|scor|reject|approv|limit|offer",
        bars=(
            r"\b(?:do not|does not|never|no automated)\b",
            r"\b(?:not|no|never)\b",
        ),
    ),
    rule(
        "data",
        "Calls or messages may be recorded or read.",
        r"\b(?:calls?|messages?|chats?|conversations?|e-?mails?)\b[^.;]{0,40}\b(?:are|is|may be|"
        r"can be|be|being) (?:\w+ )?(?:recorded|monitored|scanned|read|reviewed)\b|\b(?:record|"
        r"records|monitor|monitors|listen to|scans?|read|reviews?|"
        r"look at)\b[^.;]{0,25}\b(?:calls?|(?:private |direct )?messages|every chat|chats?|"
        r"conversations?|e-?mails)\b",
        bars=(
            (
                r"\b(?:not|never|no)\b|you (?:must|should|may|can|have) (?:\w+ )?(?:read|review|keep|"
                r"monitor|record)"
            ),
        ),
    ),
    rule(
        "data",
        "Cameras are watching.",
        r"\b(?:cameras?|cctv|video surveillance|dashcam)\b",
        r"\b(?:record|read|film|watch|monitor|keep|kept|images?|footage|capture)\w*\b",
        bars=(
            r"\b(?:not|never|no)\b|your camera",
            r"nothing",
        ),
    ),
    rule(
        "data",
        "They follow what you do.",
        r"\b(?:cookies?|pixels?|(?:browsing|viewing|usage|purchase) (?:history|data|activity|"
        r"habits)|telemetry|analytics)\b|\btrack(?:s|ed|ing)?\b",
        r"\b(?:use|set|collect|record|place|learn|see|measure|follow|combine|build|send|report|"
        r"is tracked|share|keep)\w*\b",
        bars=(
            r"\b(?:not|never|no|parcel|postal|shipment|course|race|stop tracking)\b",
            r"\bnone\b",
        ),
    ),
    rule(
        "data",
        "They may keep things after you leave.",
        r"\b(?:keep|kept|retain\w*|remains?|stay|hold|held|stored?)\b[^.;]{0,60}\b(?:after (?:you|"
        r"your|the|it|deletion|closure)|even (?:if|after)|following (?:the )?(?:end|closure|"
        r"deletion))",
        rf"{w.DATA}|template|copies|account|profile",
        bars=(
            r"\b(?:not|never|no longer|deposit|fee|money|delivery|purchase)\b",
            r"\b(?:nothing|delete)",
        ),
    ),
    rule(
        "data",
        "How long they keep it.",
        r"\b(?:keep|keeps|retain\w*|stor(?:e|ed|es)|held|hold|kept|delet\w+|eras\w+|destroy\w*|"
        rf"wiped?|purged?|anonymi[sz]ed?)\b[^.;]{{0,120}}{w.NUMBER} ?(?:\w+ )?{w.TIME}",
        r"\b(?:data|information|records?|images?|templates?|recordings?|logs?|history|details|"
        r"cop(?:y|ies)|messages?|samples?|footage|photos?|files?|backups?|transcripts?|videos?|"
        r"clips?|numbers|address(?:es)?|searches|answers|account|profile)\b",
        bars=(
            r"\b(?:deposit|fee|price|refund|luggage|parcel|goods|not (?:keep|retain|store|delete))\b",
            (
                r"\byou (?:must|shall|should|have to|may) (?:keep|retain|store|delete|hold)|\bnever\b|"
                r"\bnot have to"
            ),
        ),
    ),
    rule(
        "data",
        "You have a say over your data.",
        r"\b(?:you|users?|members?|tenants?|residents?) (?:may|can|have the right to|"
        r"have a right to|are entitled to|also have the right to)\b[^.;]{0,50}\b(?:access|correct|"
        r"delete|erase|copy|export|object|opt out|withdraw your consent|download|"
        r"ask (?:us )?for a copy|see the data|restrict|archive)\b",
        rf"{w.DATA}|\bconsent\b",
        bars=(
            r"\b(?:not|cannot|never|licen[cs]e|arbitra\w+|ban)\b",
            r"\bother (?:members|users|people)",
        ),
    ),
    rule(
        "data",
        "What they do not do with your data.",
        r"\b(?:we|company|bank|app) (?:do|does|will|can|shall) (?:not|never) (?:\w+ )?(?:collect|"
        r"store|record|track|keep|read|use|see|hold)\b|we never (?:collect|store|read)",
        w.DATA,
    ),
    rule(
        "data",
        "What they collect about you.",
        r"\b(?:we|us|band|app|device|lock|tracker|unit|vehicle|thermostats?|sensors?|"
        r"it)\b[^.;]{0,30}\b(?:collects?|gathers?|obtains?|receives?|asks? (?:you )?for|logs?|"
        r"measures?)\b|\b(?:which|it|unit|band|device|app|tracker|that) records\b",
        rf"{w.DATA}|height|weight|\b(?:date of birth|address|contacts?|readings?|speed|temperature|"
        r"purchases?|heart rate)\b",
        bars=(r"\b(?:not|never|payment|rent|debt|fee|call record|luggage|parcel)\b",),
    ),
)
