"""What invented charts are made of: diseases with their drugs, values and procedures. Codes are written out here and
not looked up in terminology, so that the platform's own tables cannot confirm themselves.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Measured:
    """A result: LOINC code, name, unit, decimals; from where to where it goes over the years, and how much it varies.

    `treated`: where it goes once the first drug of its disease is given.
    """

    code: str
    name: str
    unit: str
    decimals: int
    start: float
    end: float
    noise: float
    treated: float | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """A drug: RxNorm code, name, dose in mg. `stopped`: in half of the charts it ends and the next takes its place."""

    code: str
    name: str
    dose: str
    frequency: str = "QD"
    stopped: bool = False


@dataclass(frozen=True, slots=True)
class Disease:
    """ICD-10-CM code and name; what is measured, taken and done for it. `times`: how often a procedure is done."""

    code: str
    name: str
    results: tuple[Measured, ...] = ()
    drugs: tuple[Taken, ...] = ()
    procedures: tuple[tuple[str, str, int], ...] = ()


CREATININE = Measured("2160-0", "Creatinine [Mass/volume] in Serum or Plasma", "mg/dL", 2, 0.9, 1.0, 0.08)
POTASSIUM = Measured("2823-3", "Potassium [Moles/volume] in Serum or Plasma", "mmol/L", 1, 4.2, 4.4, 0.3)
SODIUM = Measured("2951-2", "Sodium [Moles/volume] in Serum or Plasma", "mmol/L", 0, 139, 138, 2)
HAEMOGLOBIN = Measured("718-7", "Hemoglobin [Mass/volume] in Blood", "g/dL", 1, 14.2, 13.4, 0.5)
PLATELETS = Measured("777-3", "Platelets [#/volume] in Blood by Automated count", "10*3/uL", 0, 245, 240, 25)
WEIGHT = Measured("29463-7", "Body weight", "kg", 1, 78, 84, 2)
SYSTOLIC = Measured("8480-6", "Systolic blood pressure", "mm[Hg]", 0, 128, 134, 6)
DIASTOLIC = Measured("8462-4", "Diastolic blood pressure", "mm[Hg]", 0, 78, 80, 4)
PULSE = Measured("8867-4", "Heart rate", "/min", 0, 72, 76, 5)
# Measured in everyone, unless a disease says otherwise.
EVERYONE = (CREATININE, POTASSIUM, SODIUM, HAEMOGLOBIN, PLATELETS, WEIGHT, SYSTOLIC, DIASTOLIC, PULSE)

DISEASES = (
    Disease(
        "E11.9",
        "Type 2 diabetes mellitus without complications",
        (
            Measured("4548-4", "Hemoglobin A1c/Hemoglobin.total in Blood", "%", 1, 7.4, 9.1, 0.3, 6.9),
            Measured("2339-0", "Glucose [Mass/volume] in Blood", "mg/dL", 0, 148, 205, 20, 132),
        ),
        (Taken("6809", "metformin", "1000", "BID"), Taken("274783", "insulin glargine", "16")),
        (("722161008", "Diabetic retinal eye exam", 3),),
    ),
    Disease(
        "I10",
        "Essential (primary) hypertension",
        (
            Measured("8480-6", "Systolic blood pressure", "mm[Hg]", 0, 152, 168, 7, 136),
            Measured("8462-4", "Diastolic blood pressure", "mm[Hg]", 0, 92, 98, 5, 82),
        ),
        (Taken("5487", "hydrochlorothiazide", "25", stopped=True), Taken("17767", "amlodipine", "5")),
    ),
    Disease(
        "N18.31",
        "Chronic kidney disease, stage 3a",
        (
            Measured("2160-0", "Creatinine [Mass/volume] in Serum or Plasma", "mg/dL", 2, 1.31, 2.24, 0.09),
            Measured("33914-3", "Glomerular filtration rate", "mL/min/{1.73_m2}", 0, 56, 31, 3),
            Measured("9318-7", "Albumin/Creatinine [Mass Ratio] in Urine", "mg/g", 0, 45, 310, 25),
            Measured("2823-3", "Potassium [Moles/volume] in Serum or Plasma", "mmol/L", 1, 4.6, 5.3, 0.2),
        ),
        (Taken("29046", "lisinopril", "10"),),
    ),
    Disease(
        "I48.91",
        "Unspecified atrial fibrillation",
        (Measured("6301-6", "INR in Platelet poor plasma by Coagulation assay", "1", 1, 1.1, 1.2, 0.1, 2.5),),
        (Taken("11289", "warfarin", "5"), Taken("3407", "digoxin", "0.125")),
        (("180325003", "Electrical cardioversion", 2), ("18286008", "Catheter ablation of tissue of heart", 1)),
    ),
    Disease(
        "I50.9",
        "Heart failure, unspecified",
        (
            Measured("10230-1", "Left ventricular Ejection fraction", "%", 0, 48, 33, 3),
            Measured("33762-6", "Natriuretic peptide.B prohormone N-Terminal", "pg/mL", 0, 620, 2400, 180, 1100),
        ),
        (Taken("4603", "furosemide", "40"), Taken("6918", "metoprolol", "50", "BID")),
        (("40701008", "Echocardiography", 3),),
    ),
    Disease(
        "E78.5",
        "Hyperlipidemia, unspecified",
        (
            Measured("18262-6", "Cholesterol in LDL [Mass/volume] in Serum or Plasma", "mg/dL", 0, 156, 178, 11, 98),
            Measured("2093-3", "Cholesterol [Mass/volume] in Serum or Plasma", "mg/dL", 0, 238, 262, 14, 176),
            Measured("2571-8", "Triglyceride [Mass/volume] in Serum or Plasma", "mg/dL", 0, 170, 195, 22, 150),
        ),
        (Taken("36567", "simvastatin", "20", stopped=True), Taken("83367", "atorvastatin", "40")),
    ),
    Disease(
        "J45.909",
        "Unspecified asthma, uncomplicated",
        (Measured("20150-9", "FEV1", "L", 2, 2.9, 2.3, 0.12, 2.7),),
        (Taken("41126", "fluticasone", "0.25", "BID"), Taken("435", "albuterol", "0.1", "PRN")),
        (("127783003", "Spirometry", 3),),
    ),
    Disease(
        "F33.1",
        "Major depressive disorder, recurrent, moderate",
        (Measured("44261-6", "Patient Health Questionnaire 9 item (PHQ-9) total score", "{score}", 0, 15, 18, 1, 8),),
        (Taken("36437", "sertraline", "50", stopped=True), Taken("321988", "escitalopram", "10")),
    ),
    Disease(
        "M81.0",
        "Age-related osteoporosis without current pathological fracture",
        (Measured("38265-5", "DXA [T-score] Bone density", "{T-score}", 1, -2.6, -3.1, 0.1, -2.4),),
        (Taken("46041", "alendronate", "10"),),
        (("312681000", "Bone density scan", 3),),
    ),
    Disease(
        "G30.9",
        "Alzheimer's disease, unspecified",
        (Measured("72106-8", "Total score [MMSE]", "{score}", 0, 26, 15, 1),),
        (Taken("4637", "galantamine", "8", "BID", stopped=True), Taken("135447", "donepezil", "10")),
    ),
    Disease(
        "E03.9",
        "Hypothyroidism, unspecified",
        (Measured("3016-3", "Thyrotropin [Units/volume] in Serum or Plasma", "m[IU]/L", 2, 8.1, 11.4, 0.8, 2.4),),
        (Taken("10582", "levothyroxine", "0.075"),),
    ),
    Disease(
        "D50.9",
        "Iron deficiency anemia, unspecified",
        (
            Measured("718-7", "Hemoglobin [Mass/volume] in Blood", "g/dL", 1, 11.2, 8.9, 0.4, 12.4),
            Measured("2276-4", "Ferritin [Mass/volume] in Serum or Plasma", "ng/mL", 0, 14, 8, 2, 48),
        ),
        (Taken("24947", "ferrous sulfate", "325"),),
        (("5447007", "Transfusion", 1),),
    ),
    Disease(
        "C18.9",
        "Malignant neoplasm of colon, unspecified",
        (),
        (Taken("32592", "oxaliplatin", "130", "Q3W", stopped=True),),
        (("73761001", "Colonoscopy", 2), ("43075005", "Partial resection of colon", 1)),
    ),
    Disease(
        "I25.10",
        "Atherosclerotic heart disease of native coronary artery (coronary artery disease)",
        (),
        (Taken("1191", "aspirin", "81"),),
        (
            ("33367005", "Angiography of coronary artery", 1),
            ("415070008", "Percutaneous coronary intervention", 1),
        ),
    ),
)

# ICD-10-CM code and name of what comes and goes.
PASSING = (
    ("J18.9", "Pneumonia, unspecified organism"),
    ("N39.0", "Urinary tract infection, site not specified"),
    ("J20.9", "Acute bronchitis, unspecified"),
    ("S72.009A", "Fracture of unspecified part of neck of unspecified femur"),
)
PASSING_DRUGS = (
    Taken("723", "amoxicillin", "500", "TID"),
    Taken("18631", "azithromycin", "250"),
    Taken("5640", "ibuprofen", "400", "TID"),
    Taken("161", "acetaminophen", "500", "QID"),
)
# SNOMED CT code, name, reaction.
ALLERGIES = (
    ("764146007", "Penicillin", "hives"),
    ("387458008", "Aspirin", "asthma"),
    ("387406002", "Sulfonamide", "rash"),
    ("111088007", "Latex", "contact dermatitis"),
    ("102263004", "Egg", "anaphylaxis"),
    ("300913006", "Shellfish", "swelling"),
    ("256277009", "Grass pollen", "sneezing"),
    ("260147004", "House dust mite", "sneezing"),
)
# CVX code and name, and after how many years again.
VACCINES = (
    ("140", "Influenza, seasonal, injectable, preservative free", 1),
    ("113", "Td (adult) preservative free", 10),
    ("33", "pneumococcal polysaccharide PPV23", 20),
    ("133", "Pneumococcal conjugate PCV 13", 20),
    ("121", "zoster live", 20),
    ("43", "Hep B, adult", 20),
)
# SNOMED CT code and name of what says little to whoever asks.
ROUTINE = (
    ("430193006", "Medication reconciliation"),
    ("171207006", "Depression screening"),
    ("225362009", "Dental care"),
    ("710824005", "Assessment of health and social care needs"),
)
CHECKS = (
    ("73761001", "Colonoscopy"),
    ("399208008", "Plain X-ray of chest"),
    ("29303009", "Electrocardiographic procedure"),
)
CHECKS_OF_WOMEN = (("71651007", "Mammography"), ("440623000", "Microscopic examination of cervical Papanicolaou smear"))
SOCIAL = (
    ("Z56.0", "Unemployment, unspecified"),
    ("Z60.2", "Problems related to living alone"),
    ("Z73.3", "Stress, not elsewhere classified"),
)
