"""Clauses with what a summary may and may not make of them."""

# A clause, a faithful paraphrase, and an unfaithful one: another number, another party, the opposite, another subject.
TRIPLES = [
    (
        "The Subscription renews automatically for successive twelve (12) month terms at the then-current rate.",
        "Your subscription renews automatically every 12 months at the current rate.",
        "Your subscription renews automatically every 6 months at the current rate.",
    ),
    (
        "You may cancel your membership at any time by giving at least thirty (30) days' written notice.",
        "You can end your membership whenever you like with 30 days' written notice.",
        "You cannot cancel your membership, even with 30 days' written notice.",
    ),
    (
        "All fees are non-refundable, including for any unused portion of a billing period.",
        "Fees are not refunded, even for an unused part of the billing period.",
        "Fees are refunded for any unused portion of a billing period.",
    ),
    (
        "We do not sell your personal information to third parties.",
        "The company never sells your personal data to third parties.",
        "The company sells your personal data to third parties.",
    ),
    (
        "We may share your contact details with carefully selected advertising partners for their own purposes.",
        "We can pass your contact details to advertising partners.",
        "We can pass your contact details to your employer and the police.",
    ),
    (
        "A late payment fee of £25 will be added to your bill for each instalment not received by the due date.",
        "Paying an instalment late adds a £25 fee to your bill.",
        "Paying an instalment late adds a £45 fee to your bill.",
    ),
    (
        "By using the Service you waive your right to a trial by jury and to take part in a class action.",
        "You give up your right to a jury trial and to class actions.",
        "You keep your right to a jury trial and may join a class action against us.",
    ),
    (
        "Any dispute shall be finally settled by binding arbitration seated in Dublin.",
        "Disputes are settled by binding arbitration in Dublin.",
        "Disputes are settled by a court in Vienna, at the expense of the loser.",
    ),
    (
        "Our total liability to you shall not exceed the amount you paid us in the three months before the claim.",
        "Our liability is capped at what you paid in the three months before the claim.",
        "Our liability is capped at what you paid in the nine months before the claim.",
    ),
    (
        "You grant us a worldwide, perpetual, royalty-free licence to use, copy and adapt the content you upload.",
        "We get a worldwide, perpetual, royalty-free licence to use and copy content you upload.",
        "Our staff check uploads for viruses, and pay royalties to photographers.",
    ),
    (
        "We may alter these prices at our sole discretion and without prior notice.",
        "We can change prices at our sole discretion without telling you.",
        "We can change prices at our sole discretion only with prior notice.",
    ),
    (
        "Recordings are retained for ninety days and then permanently erased.",
        "Recordings are kept for 90 days, then deleted permanently.",
        "Recordings are kept for 90 years and then sold.",
    ),
    (
        "The Service is not intended for children under 13 years of age.",
        "The service is not for children under 13.",
        "The service is for children under 13.",
    ),
    (
        "The security deposit is returned within fourteen days after checkout, less the cost of any damage.",
        "Your security deposit comes back within 14 days of checkout, minus the cost of damage.",
        "Your security deposit comes back within 14 weeks of checkout, minus the cost of damage.",
    ),
    (
        "The tenant must not keep pets at the premises without the landlord's written consent.",
        "No pets at the property without written consent from the landlord.",
        "The tenant may keep pets and run a bakery at the premises.",
    ),
    (
        "Flights cancelled less than 24 hours before departure are charged at 100% of the fare.",
        "Cancelling a flight less than 24 hours before departure costs 100% of the fare.",
        "Cancelling a flight less than 72 hours before departure costs 80% of the fare.",
    ),
    (
        "Claims arising from war, nuclear accidents or extreme sports are excluded from cover.",
        "Claims from war, nuclear accidents and extreme sports are not covered.",
        "Claims from war, nuclear accidents and extreme sports are covered.",
    ),
    (
        "The first €250 of each claim is borne by the policyholder.",
        "The policyholder bears the first €250 of each claim.",
        "The policyholder bears the first €2,500 of each claim.",
    ),
    (
        "We may suspend or terminate your account immediately if we suspect fraudulent activity.",
        "Your account can be suspended or closed immediately on suspicion of fraudulent activity.",
        "Your account can be suspended when your neighbours complain about loud music.",
    ),
    (
        "The warranty does not cover accidental damage, misuse or normal wear and tear.",
        "The warranty excludes accidental damage, misuse and normal wear.",
        "The warranty covers accidental damage, misuse and normal wear.",
    ),
    (
        "Goods may be returned within 28 days of delivery for a full refund, provided the seal is intact.",
        "You can return goods within 28 days of delivery for a full refund if the seal is intact.",
        "You can return goods within 14 days of delivery for a full refund.",
    ),
    (
        "The app records your precise location even when it is running in the background.",
        "The app records your precise location, even in the background.",
        "The app records your voice and scans photographs of friends.",
    ),
    (
        "Interest at 8% per annum accrues daily on overdue amounts.",
        "Overdue amounts bear interest of 8% a year.",
        "Overdue amounts bear interest of 8% a month.",
    ),
    (
        "Drivers younger than 25 pay a surcharge of $30.00 a day.",
        "Drivers under 25 pay a $30 surcharge per day.",
        "Drivers over 65 pay a $30 surcharge per day.",
    ),
    (
        "The monthly price increases each April by inflation plus 3.9%.",
        "The monthly price rises every April by inflation plus 3.9%.",
        "The monthly price falls every April, by 5.9% for loyal families.",
    ),
    (
        "Unless you opt out within 30 days, your trial converts into a paid plan.",
        "Your trial becomes a paid plan if you don't opt out within 30 days.",
        "Your trial becomes a paid plan only if you confirm by letter within 60 days.",
    ),
    (
        "Once the tickets have been issued they cannot be transferred to another person.",
        "Issued tickets cannot be transferred to someone else.",
        "Issued tickets can be transferred to another person.",
    ),
    (
        "We shall not be responsible for valuables lost or stolen from lockers.",
        "The gym is not liable for valuables stolen from lockers.",
        "The gym is liable for valuables stolen from lockers.",
    ),
    (
        "Exceeding the monthly allowance of 20 GB is billed at 1,50 EUR per GB.",
        "Going over the 20 GB monthly allowance costs €1.50 per GB.",
        "Going over the 20 GB monthly allowance costs €15 per GB.",
    ),
    (
        "Visitors are photographed on entry and the images are matched by facial recognition software.",
        "Facial recognition software matches images of visitors, who are photographed on entry.",
        "Visitors must show a vaccination certificate and a passport on arrival.",
    ),
    (
        "If you fail to return the equipment you owe us a penalty of two hundred dollars.",
        "You owe a $200 penalty if you don't return the equipment.",
        "You owe a $200 penalty if you return the equipment.",
    ),
    (
        "Notice to leave must reach us no later than the 15th of the month.",
        "Your notice to leave must reach us by the 15th of the month.",
        "Your notice to leave must reach us by the 20th of the month.",
    ),
    # Written after the weights were set, and not used to set them.
    (
        "We reserve the right to modify these Terms at any time by posting a revised version on this page.",
        "They can change the terms at any time just by posting a new version.",
        "They need your consent before changing the terms.",
    ),
    (
        "Your continued use of the Site after changes constitutes acceptance of the new terms.",
        "If you keep using the site after changes, you accept the new terms.",
        "If you keep using the site after changes, you reject the new terms.",
    ),
    (
        "The minimum term of this contract is 24 months, and early termination triggers a charge equal to the remaining monthly payments.",
        "The contract runs at least 24 months; leaving early means paying the remaining monthly payments.",
        "The contract runs at least 18 months; leaving early means paying the remaining monthly payments.",
    ),
    (
        "We retain your data for as long as your account is open and for up to six years afterwards.",
        "Your data is kept while your account is open and up to six years after.",
        "Your data is deleted as soon as your account is closed, within six hours.",
    ),
    (
        "Rent of £950 is due on the first day of each calendar month, in advance.",
        "You pay £950 rent in advance on the first day of every month.",
        "You pay £590 rent in advance on the first day of every month.",
    ),
    (
        "The landlord may enter the property on 24 hours' notice to inspect or carry out repairs.",
        "The landlord can come in with 24 hours' notice for inspections or repairs.",
        "The landlord can come in without notice for inspections or repairs.",
    ),
    (
        "Smoking is strictly prohibited anywhere in the building.",
        "You may not smoke in the building.",
        "Smoking is allowed anywhere in the building.",
    ),
    (
        "An excess mileage charge of 15p per mile applies above 12,000 miles a year.",
        "Driving more than 12,000 miles a year costs 15p for each extra mile.",
        "Driving more than 20,000 miles a year costs 15p for each extra mile.",
    ),
    (
        "The vehicle must be returned with a full tank; otherwise a refuelling fee of EUR 40 plus fuel is payable.",
        "Bring the car back with a full tank or pay a €40 refuelling fee plus fuel.",
        "Bring the car back with an empty tank, refuelling is free.",
    ),
    (
        "You must report any loss or theft to the police within 24 hours.",
        "Report theft or loss to the police within 24 hours.",
        "Report theft or loss to the police within 24 days.",
    ),
    (
        "Pre-existing medical conditions are not covered unless declared and accepted in writing.",
        "Existing medical conditions are not covered unless you declared them and we accepted in writing.",
        "Cosmetic surgery and dental work are covered when declared.",
    ),
    (
        "We use cookies and similar technologies to track your activity across other websites.",
        "We track your activity on other websites with cookies.",
        "We do not track your activity on other websites.",
    ),
    (
        "You can ask us to delete your personal data by writing to our privacy team.",
        "You can have your personal data erased by writing to the privacy team.",
        "You can sell your personal data by calling the bank.",
    ),
    (
        "These terms are governed by the laws of the State of Delaware.",
        "Delaware law governs these terms.",
        "Swiss law governs these terms.",
    ),
    (
        "Unused data does not roll over to the next month.",
        "Data you don't use does not roll over to the following month.",
        "Unused data rolls over to the next month.",
    ),
    (
        "In-app purchases are final and no refunds will be given except where required by law.",
        "In-app purchases are final, with no refunds unless the law requires them.",
        "In-app purchases can be exchanged for vouchers within two weeks.",
    ),
    (
        "We may disclose your information to law enforcement if required to do so by a court order.",
        "Your information may be given to law enforcement under a court order.",
        "Your information may be given to charities and researchers.",
    ),
    (
        "Gym access is suspended if a payment is more than ten days overdue.",
        "If a payment is over 10 days late, your gym access is suspended.",
        "If a payment is over 10 weeks late, your gym access is suspended.",
    ),
    (
        "You indemnify us against all claims arising out of your breach of this agreement.",
        "You cover our losses from claims caused by your breach of the agreement.",
        "We compensate your relatives for fires and floods.",
    ),
    (
        "Baggage exceeding 23 kg incurs an overweight charge of US$75 per bag.",
        "Bags over 23 kg cost $75 each.",
        "Bags over 32 kg cost $75 each.",
    ),
]
