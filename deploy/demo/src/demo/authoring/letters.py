"""The texts of the letters. Traps on purpose: a mother's illness, a denied one, a reaction that no field carries."""

CHECKUP = """Follow-up consultation, diabetes clinic.
Type 2 diabetes for six years and hypertension, both treated. Feels well, no chest pain, no shortness of breath.
Family history: mother had breast cancer at age 61, father had a myocardial infarction at age 70.
No known drug allergies.
Plan: continue metformin 1000 mg twice daily and lisinopril 20 mg daily, start atorvastatin 40 mg daily.
Kidney function to be checked every six months."""

CLINIC = """Follow-up consultation, diabetes clinic.
Ankle swelling since spring; amlodipine is stopped today.
Blood pressure 134/78 mmHg. Weight 78.8 kg, falling slowly. No hypoglycaemia.
Metformin and lisinopril are continued unchanged."""

ADMISSION = """Admission note, ward 3.
Fall at home two days ago onto the right knee, painful, no fracture on the film of the knee.
Cough for three days, temperature 37.9 degrees, no chest pain.
Type 2 diabetes, hypertension. Appetite poor, tired for some weeks.
Chest film ordered. Pain relief to be reviewed tomorrow."""

FILM_REPORT = """Chest, AP view, at the bedside.
Patchy opacities in both lungs. No pleural effusion. No pneumothorax. Heart size normal."""

DISCHARGE = """Discharge letter. Stay from 10 to 14 February 2025, acute pyelonephritis.
On 10 February the patient received amoxicillin 1 g. Within 20 minutes generalised urticaria, wheeze and a blood \
pressure of 78/40 mmHg: anaphylaxis to penicillin, treated with adrenaline 0.5 mg intramuscularly.
Amoxicillin was stopped and replaced by ciprofloxacin. Penicillin must not be given again.
The potassium of 12 February was first reported as 6.9 mmol/L from a haemolysed sample and corrected to 4.9 mmol/L.
Fever gone since 12 February. Oxygen saturation 97 % on room air. \
Home medication metformin and lisinopril unchanged."""

KIDNEY_CLINIC = """Letter of the kidney clinic to Dr. Müller-Beispiel.
Kidney function is falling slowly, probably diabetic kidney disease. No haematuria, no obstruction on ultrasound.
The patient does not take ibuprofen or other anti-inflammatory painkillers and should avoid them.
Home medication at present: metformin 1000 mg twice daily, lisinopril 20 mg daily, atorvastatin 40 mg daily."""
