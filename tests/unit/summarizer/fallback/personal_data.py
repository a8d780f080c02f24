"""What is personal data and what is not: written before the recognizers were chosen and tuned."""

from typing import NamedTuple


class Case(NamedTuple):
    """A sentence, and what must not leave of it; nothing if it is empty."""

    text: str
    secret: str = ""


FOUND = {
    "e-mail": Case("Write to jim.oneil+terms@mail.example.co.uk about it.", "jim.oneil+terms@mail.example.co.uk"),
    "e-mail in brackets": Case("Jim <jim@example.com> agreed.", "jim@example.com"),
    "e-mail at an end": Case("Contact: anna_b@example.org.", "anna_b@example.org"),
    "e-mail in capitals": Case("ANNA@EXAMPLE.COM signed.", "ANNA@EXAMPLE.COM"),
    "e-mail at a new domain": Case("Write to jim@example.photography now.", "jim@example.photography"),
    "e-mail with an umlaut": Case("Write to jürgen@bücher.example now.", "jürgen@bücher.example"),
    "two e-mails": Case("a@example.com,b@example.com", "a@example.com,b@example.com"),
    "phone, German": Case("Call +49 30 901820 today.", "+49 30 901820"),
    "phone, German, local": Case("Call 030 901820 today.", "030 901820"),
    "phone, American": Case("Call (212) 555-0123 now.", "(212) 555-0123"),
    "phone, American, dots": Case("Call 212.555.0123 now.", "212.555.0123"),
    "phone, British": Case("My number is 020 7946 0958.", "020 7946 0958"),
    "phone, French": Case("Tel. +33 1 42 68 53 00", "+33 1 42 68 53 00"),
    "phone, Austrian": Case("Tel. +43 1 5338570", "+43 1 5338570"),
    "phone, Indian": Case("Phone: +91 98765 43210", "+91 98765 43210"),
    "IBAN with spaces": Case("Pay to DE89 3704 0044 0532 0130 00 by Friday.", "DE89 3704 0044 0532 0130 00"),
    "IBAN": Case("Pay to GB82WEST12345698765432.", "GB82WEST12345698765432"),
    "IBAN in small letters": Case("pay to de89370400440532013000 now", "de89370400440532013000"),
    "card": Case("My card is 4111 1111 1111 1111.", "4111 1111 1111 1111"),
    "card with dashes": Case("Card 5500-0000-0000-0004 was charged.", "5500-0000-0000-0004"),
    "card, American Express": Case("Charge 378282246310005 please.", "378282246310005"),
    "social security number": Case("My SSN is 536-90-4399.", "536-90-4399"),
    "IP address": Case("I logged in from 203.0.113.77 yesterday.", "203.0.113.77"),
    "address, American": Case("I live at 742 Evergreen Terrace, Springfield, IL 62704.", "742 Evergreen Terrace"),
    "address, American, short": Case("Ship to 1600 Pennsylvania Ave NW, Washington.", "1600 Pennsylvania Ave"),
    "address, a flat": Case("He lives at 12 Elm St., Apt 4B.", "12 Elm St"),
    "address, British": Case("She lives at 221B Baker Street, London NW1 6XE.", "221B Baker Street"),
    "address, British postcode": Case("She moved to SW1A 1AA last year.", "SW1A 1AA"),
    "address, German": Case("I live in Hauptstraße 12a, 10115 Berlin.", "Hauptstraße 12a, 10115 Berlin"),
    "address, German, two words": Case("Sie wohnt Unter den Linden 77, Berliner Str. 5, hier.", "Berliner Str. 5"),
    "address, German, short": Case("It is Lindenallee 7.", "Lindenallee 7"),
    "post box": Case("Write to P.O. Box 1234 there.", "P.O. Box 1234"),
    "across a line": Case("Call me:\n+1 212 555 0123\nor not", "+1 212 555 0123"),
}
# What contracts are full of, and what must stay, since the answer depends on it.
KEPT = {
    "clause": Case("See clause 12.3.4.5 of these terms."),
    "section": Case("Section 1.2(a)(ii) and § 4 (2) apply."),
    "money": Case("You pay $1,000,000 or 9.99 euros a month."),
    "dates": Case("From 2024-01-31 to 31.12.2025, and on January 5, 2026."),
    "years": Case("In 2024-2025 and 1999/2000 the fee was 12 percent."),
    "period": Case("You may cancel within 30 days, or 14 days for goods."),
    "percentages": Case("Interest is 12.5% a year, 0.034% a day."),
    "large number": Case("The service had 1234567890 requests in 2024."),
    "version": Case("Version 10.2.3 of the software, build 20240131."),
    "law": Case("47 U.S.C. § 230 and Regulation (EU) 2016/679 apply."),
    "directive": Case("Directive 2011/83/EU of 25 October 2011."),
    "times": Case("Support answers from 9:00 to 17:30, Monday to Friday."),
    "way of speaking": Case("12 Days Way too many, and 3 Court orders; 5 Drive bays."),
    "place": Case("The 2 parties meet in place of a court."),
    "handle": Case("Follow @example and email us."),
    "url": Case("See https://example.com/terms/2024 for more."),
    "twenty-four seven": Case("We are there 24/7/365, since 1998."),
    "order": Case("Order no. 2024-000123 ships in 3-5 days."),
    "double colon": Case("Use std::vector, or a :: b."),
    "list": Case("1. Fees 2. Renewal 3. Disputes 4. Data"),
    "kilobytes": Case("Files up to 104857600 bytes, 4096 x 2160 pixels."),
}
