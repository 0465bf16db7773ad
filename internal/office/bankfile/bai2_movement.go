package bankfile

import (
	"strconv"
	"strings"

	"konbit/internal/office/bankfile/field"
)

// movement reads 16: type, amount, availability, the bank's reference, the customer's reference, text.
func (r *baiReader) movement(b *baiRecord) error {
	fields, text, err := b.movementFields()
	if err != nil {
		return err
	}
	code, err := strconv.Atoi(fields.code)
	if err != nil {
		return field.Refuse(b.row, field.RecordField, fields.code, "bankfile.problem.bai_code", nil)
	}
	if fields.amount == "" { // 890 and the like only tell something
		fields.amount = "0"
	}
	minor, err := field.Minor(fields.amount)
	if err != nil {
		return field.BadAmount(fields.amount, field.AmountField, b.row, r.account.statement.Currency, err)
	}
	r.account.sum += minor
	switch {
	case code >= 100 && code <= 399, code >= 920 && code <= 959:
	case code >= 400 && code <= 699, code >= 960 && code <= 999:
		minor = -minor
	case minor == 0:
		return nil
	default:
		return field.Refuse(b.row, field.RecordField, fields.code, "bankfile.problem.bai_code", nil)
	}
	s := &r.account.statement
	return r.add(s, Line{BookedOn: r.group.day, Amount: minor, Text: text, Reference: fields.customer, BankID: fields.bank,
		Pending: r.group.interim, Row: b.row})
}

type baiMovement struct{ code, amount, bank, customer string }

// movementFields returns the fields of a movement before its text, and the text, which may hold commas and slashes. A
// continuation goes on where the line before it ended: with fields, or with the text.
func (b *baiRecord) movementFields() (m baiMovement, text string, err error) {
	var fields, texts []string
	need := 5 // fields before the text, as far as it is known
	for _, piece := range b.pieces {
		piece = strings.TrimSuffix(piece, "/")
		for len(fields) < need {
			one, rest, more := strings.Cut(piece, ",")
			fields = append(fields, strings.TrimSpace(one))
			if len(fields) == 3 || len(fields) == 4 && strings.EqualFold(fields[2], "D") {
				end, err := availabilityEnd(fields, b.row)
				if err != nil {
					return m, "", err
				}
				need = end + 2
			}
			if piece = rest; !more {
				break
			}
		}
		if len(fields) == need && piece != "" {
			texts = append(texts, piece)
		}
	}
	end := need - 2
	m = baiMovement{code: at(fields, 0), amount: at(fields, 1), bank: at(fields, end), customer: at(fields, end+1)}
	return m, strings.Join(texts, " "), nil
}

// availabilityEnd returns the number of fields up to the end of the availability, of which the kind is read already, and the
// number of days if it is D.
func availabilityEnd(fields []string, row int) (int, error) {
	if strings.EqualFold(fields[2], "D") && len(fields) == 3 {
		return 4, nil
	}
	if !strings.EqualFold(fields[2], "D") {
		return skipAvailability(fields, 2, row)
	}
	const most = 100
	n, err := strconv.Atoi(fields[3])
	if err != nil || n < 0 || n > most {
		return 0, field.Refuse(row, field.RecordField, fields[3], "bankfile.problem.bai_availability", nil)
	}
	return 4 + 2*n, nil
}
