"""Questions to the evidence library that ships with memory, and which of its passages answer them.

Authored passage by passage before anything was measured, in the words of a ward and not of the library; a passage
answers when a physician could act on it or reply with it. The questions of `UNANSWERED` ask for what the library does
not hold, some of them in its own words: their right answer is no citation.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with the ids of all passages that answer it; none when the library has no answer.

    `judged`: where only some passages were looked at, those; others count neither for nor against.
    """

    question: str
    passages: frozenset[str] = frozenset()
    judged: frozenset[str] | None = None


def _asked(question: str, *passages: str) -> Asked:
    return Asked(question, frozenset(passages))


ANSWERED = (
    _asked("Below which eGFR is metformin contraindicated?", "fda-metformin-renal", "kdigo-2024-metformin"),
    _asked("Does the metformin dose need to come down with this kidney function?",
           "kdigo-2024-metformin", "fda-metformin-renal", "inzucchi-2014-metformin"),
    _asked("How high is the risk of lactic acidosis on metformin?", "inzucchi-2014-metformin"),
    _asked("Does metformin have to be paused for a CT with iodinated contrast?",
           "fda-metformin-contrast", "acr-2023-contrast-metformin"),
    _asked("Should vitamin B12 be measured during long-term metformin treatment?", "ada-2024-metformin-b12"),
    _asked("Which medicines should be paused during acute illness or before surgery?",
           "kdigo-2024-sick-day", "fda-sglt2-ketoacidosis"),
    _asked("Can an NSAID be combined with an ACE inhibitor?",
           "fda-nsaid-acei-renal", "lapi-2013-triple-whammy", "kdigo-2024-nsaid"),
    _asked("How large is the risk of acute kidney injury from NSAID, diuretic and ACE inhibitor together?",
           "lapi-2013-triple-whammy", "fda-nsaid-acei-renal"),
    _asked("Is ibuprofen acceptable in chronic kidney disease?",
           "kdigo-2024-nsaid", "ags-beers-2023-nsaid", "nkf-pain-ckd", "fda-nsaid-acei-renal"),
    _asked("Which painkiller is preferred in chronic kidney disease?", "nkf-pain-ckd", "kdigo-2024-nsaid"),
    _asked("What cardiovascular and bleeding risks do NSAIDs carry?", "fda-nsaid-boxed"),
    _asked("May a patient with heart failure take naproxen?", "aha-2022-hf-nsaid", "fda-nsaid-boxed"),
    _asked("Should NSAIDs be avoided in older adults with low creatinine clearance?", "ags-beers-2023-nsaid"),
    _asked("Do ACE inhibitors raise potassium?",
           "fda-acei-hyperkalaemia", "nice-ng203-potassium", "ags-beers-2023-potassium"),
    _asked("At what potassium should an ACE inhibitor or ARB be stopped?", "nice-ng203-potassium"),
    _asked("Which potassium level counts as severe hyperkalaemia?", "ukka-2023-hyperkalaemia"),
    _asked("When is an electrocardiogram needed for hyperkalaemia?", "ukka-2023-hyperkalaemia"),
    _asked("How soon after starting spironolactone must potassium be checked?", "fda-spironolactone-hyperkalaemia"),
    _asked("Did hospital admissions for hyperkalaemia rise with spironolactone use?", "juurlink-2004-hyperkalaemia"),
    _asked("Are two drugs that raise potassium acceptable in older adults with stage 3a kidney disease?",
           "ags-beers-2023-potassium"),
    _asked("How much may creatinine rise after starting an ACE inhibitor?", "kdigo-2024-rasi"),
    _asked("Can losartan slow kidney disease in type 2 diabetes?", "renaal-2001"),
    _asked("Which statin treatment is recommended in chronic kidney disease over the age of 50?", "kdigo-2024-statin"),
    _asked("Must atorvastatin be dose adjusted for kidney disease?", "fda-atorvastatin-renal"),
    _asked("Should a statin be offered for primary prevention?", "uspstf-2022-statin"),
    _asked("From which eGFR may an SGLT2 inhibitor be started in diabetes with kidney disease?",
           "kdigo-2024-sglt2", "ada-2024-ckd-sglt2"),
    _asked("What did the DAPA-CKD trial show for dapagliflozin?", "dapa-ckd-2020"),
    _asked("What was the effect of empagliflozin on progression of kidney disease?", "empa-kidney-2023"),
    _asked("Does canagliflozin lower the risk of kidney failure?", "credence-2019"),
    _asked("Can SGLT2 inhibitors cause ketoacidosis?", "fda-sglt2-ketoacidosis"),
    _asked("Is an SGLT2 inhibitor recommended in heart failure with reduced ejection fraction?", "aha-2022-hf-sglt2"),
    _asked("When is finerenone suggested in diabetic kidney disease?", "kdigo-2022-finerenone"),
    _asked("How is chronic kidney disease defined and staged?", "kdigo-2024-definition", "kdigo-2024-albuminuria"),
    _asked("What do the albuminuria categories A1 to A3 mean?", "kdigo-2024-albuminuria", "kdigo-2024-definition"),
    _asked("What counts as rapid progression of chronic kidney disease?", "kdigo-2024-progression"),
    _asked("How often should eGFR and albuminuria be measured?", "kdigo-2024-monitoring"),
    _asked("When should a patient with kidney disease be referred to a nephrologist?", "kdigo-2024-referral"),
    _asked("Which systolic blood pressure target applies in chronic kidney disease?",
           "kdigo-2024-bp", "acc-aha-2017-bp"),
    _asked("Which formula computes eGFR from creatinine without race?", "ckd-epi-2021"),
    _asked("How is acute kidney injury defined?", "kdigo-2012-aki-definition"),
    _asked("Which haemoglobin means anaemia in chronic kidney disease?", "kdigo-2012-anaemia"),
    _asked("Does intravenous contrast harm the kidney?", "acr-nkf-2020-contrast"),
    _asked("Which HbA1c goal is appropriate?", "ada-2024-a1c-goal"),
    _asked("Is HbA1c reliable in advanced kidney disease?", "kdigo-2022-hba1c-ckd"),
    _asked("Who should be screened for type 2 diabetes?", "uspstf-2021-diabetes-screening"),
    _asked("How likely is it that a penicillin allergy label is wrong?",
           "cdc-penicillin-facts", "aaaai-2022-penicillin-allergy"),
    _asked("How can a penicillin allergy label be removed?", "aaaai-2022-penicillin-allergy"),
    _asked("Can a cephalosporin be given to a patient with penicillin allergy?", "aaaai-2022-cephalosporin"),
    _asked("May amoxicillin be given after anaphylaxis to a beta-lactam?",
           "fda-amoxicillin-hypersensitivity", "aaaai-2022-penicillin-allergy"),
    _asked("Does a penicillin allergy label lengthen hospital stays?", "macy-2014-penicillin-label"),
    _asked("What must be done when the record says no known allergies but another source reports a reaction?",
           "onc-safer-allergy"),
    _asked("Is warfarin with aspirin dangerous?", "fda-warfarin-nsaid"),
    _asked("Must INR be checked when an antibiotic is started on warfarin?", "fda-warfarin-antibiotics"),
    _asked("Is a follow-up chest film needed after pneumonia?", "ats-idsa-2019-cap"),
    _asked("How is heart size judged on a chest film?", "cxr-heart-size"),
    _asked("Should medication lists be reconciled at discharge?", "who-2019-transitions"),
    _asked("Can a value read from a scanned page be trusted?", "ocr-transcription-errors"),
    _asked("When may two patient identifiers be merged?", "onc-safer-identity"),
)  # fmt: skip

UNANSWERED = tuple(
    _asked(question)
    for question in (
        "Which dose of colchicine is safe in gout?",
        "Is apixaban preferred over warfarin in atrial fibrillation?",
        "When should levothyroxine be increased in hypothyroidism?",
        "Which antibiotic is recommended for cellulitis?",
        "How is osteoporosis treated after a hip fracture?",
        "Is semaglutide recommended for weight loss in obesity?",
        "Which inhaler is first choice in chronic obstructive pulmonary disease?",
        "Should a patient with migraine take a triptan?",
        "How often is mammography screening recommended?",
        "Which vaccine is due at the age of 65?",
        "Is lithium safe in pregnancy?",
        "What is the target INR with a mechanical heart valve?",
        "Which diet is advised in coeliac disease?",
        "How is hyponatraemia corrected?",
        "Can metformin be used in polycystic ovary syndrome?",
        "Does ibuprofen close a patent ductus arteriosus in preterm infants?",
        "Which potassium binder lowers potassium fastest?",
        "Is dialysis started early or late in kidney failure?",
        "What is the dose of amoxicillin for otitis media in children?",
        "Does kidney transplantation prolong life in diabetes?",
    )
)

# Written after the rule of relevance was fixed, and never used to change it.
LATER = (
    _asked("Her eGFR fell to 27, does metformin have to go?", "fda-metformin-renal", "kdigo-2024-metformin"),
    _asked("Is neuropathy on metformin a reason to test B12?", "ada-2024-metformin-b12"),
    _asked("Contrast CT tomorrow with an eGFR of 35: hold metformin?",
           "fda-metformin-contrast", "acr-2023-contrast-metformin"),
    _asked("Is saline needed before intravenous contrast with a low eGFR?", "acr-nkf-2020-contrast"),
    _asked("Which adverse effects do ibuprofen and losartan have together on the kidney?",
           "fda-nsaid-acei-renal", "kdigo-2024-nsaid"),
    _asked("What is the triple whammy of diuretic, ACE inhibitor and NSAID?",
           "lapi-2013-triple-whammy", "fda-nsaid-acei-renal"),
    _asked("Can acetaminophen replace naproxen in kidney disease?", "nkf-pain-ckd"),
    _asked("Does diclofenac raise the risk of stroke or myocardial infarction?", "fda-nsaid-boxed"),
    _asked("Potassium is 6.2 mmol/L, how severe is this hyperkalaemia?", "ukka-2023-hyperkalaemia"),
    _asked("Should ramipril be started with a potassium of 5.3?", "nice-ng203-potassium"),
    _asked("Do salt substitutes matter for potassium on lisinopril?", "fda-acei-hyperkalaemia"),
    _asked("Creatinine rose by a quarter after lisinopril was started: continue?", "kdigo-2024-rasi"),
    _asked("Spironolactone with losartan: when is potassium measured?", "fda-spironolactone-hyperkalaemia"),
    _asked("Is a small dip of eGFR after empagliflozin a reason to stop it?", "kdigo-2024-sglt2"),
    _asked("How long before surgery are SGLT2 inhibitors paused?", "fda-sglt2-ketoacidosis", "kdigo-2024-sick-day"),
    _asked("Does dapagliflozin help in kidney disease without diabetes?", "dapa-ckd-2020", "kdigo-2024-sglt2"),
    _asked("Is atorvastatin safe with kidney impairment?", "fda-atorvastatin-renal", "kdigo-2024-statin"),
    _asked("Which blood pressure is the goal in hypertension with cardiovascular disease?", "acc-aha-2017-bp"),
    _asked("Does an albumin-to-creatinine ratio of 400 mg/g call for referral?",
           "kdigo-2024-referral", "kdigo-2024-albuminuria"),
    _asked("Is a fall of eGFR by 7 a year rapid progression?", "kdigo-2024-progression"),
    _asked("Creatinine went from 0.9 to 1.3 mg/dL in two days: is this acute kidney injury?",
           "kdigo-2012-aki-definition"),
    _asked("Why may HbA1c read too low on dialysis?", "kdigo-2022-hba1c-ckd"),
    _asked("Is a less stringent HbA1c goal right in frailty?", "ada-2024-a1c-goal"),
    _asked("Is cefazolin possible after anaphylaxis to penicillin?", "aaaai-2022-cephalosporin"),
    _asked("Do most people lose a penicillin allergy with time?", "cdc-penicillin-facts"),
    _asked("May a supine film be used to judge an enlarged heart?", "cxr-heart-size"),
    _asked("Which dose of allopurinol fits a low eGFR?"),
    _asked("Is gabapentin cleared by the kidney?"),
    _asked("Should bisphosphonates be stopped before dental surgery?"),
    _asked("Can sertraline be combined with tramadol?"),
    _asked("Which antiepileptic is preferred in pregnancy?"),
    _asked("How is iron deficiency treated in heart failure?"),
    _asked("Is melatonin effective for insomnia?"),
    _asked("When is parathyroid hormone measured in kidney disease?"),
)  # fmt: skip

# What a physician would accept beside an alert of a rule: passages about that danger, whatever was asked.
DANGERS = {
    "metformin_and_kidney_function": {"fda-metformin-renal", "kdigo-2024-metformin"},
    "nsaid_with_raas_blockade": {"fda-nsaid-acei-renal", "lapi-2013-triple-whammy", "kdigo-2024-nsaid"},
    "nsaid_with_chronic_kidney_disease": {"kdigo-2024-nsaid", "ags-beers-2023-nsaid", "nkf-pain-ckd"},
    "drug_of_an_allergic_class": {"aaaai-2022-penicillin-allergy", "fda-amoxicillin-hypersensitivity"},
    "hyperkalaemia_with_raas_blockade": {"fda-acei-hyperkalaemia", "nice-ng203-potassium", "ukka-2023-hyperkalaemia"},
    "two_drugs_of_one_class": {"fda-dual-raas", "fda-two-nsaids"},
    "rapid_progression": {"kdigo-2024-progression", "kdigo-2024-referral"},
}
