package bankfile

import (
	"strconv"
	"strings"

	"konbit/internal/books/ledger"
	"konbit/internal/office/bankfile/field"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
)

// baiRecord is a record with its continuations (88). Each piece is one line of the file without its code.
type baiRecord struct {
	code   string
	pieces []string
	row    int
	count  int // lines of the file
}

// baiReader reads a file: 01 file (02 group (03 account (16 movement)… 49)… 98)… 99.
type baiReader struct {
	*reading
	file     File
	group    *baiGroup
	account  *baiAccount
	sum      int64 // of the groups' control totals
	groups   int
	records  int // lines of the file so far
	finished bool
}

type baiGroup struct {
	day      ledger.Date
	currency money.Currency
	interim  bool
	sum      int64 // of the accounts' control totals
	accounts int
	records  int // lines before the group
}

type baiAccount struct {
	statement Statement
	sum       int64 // of all amounts as they are written
	records   int   // lines before the account
}

func (in *reading) readBAI2(text string) (File, error) {
	r := &baiReader{reading: in}
	records, err := r.split(text)
	if err != nil {
		return File{}, err
	}
	for _, record := range records {
		before := r.records
		r.records += record.count
		if err := r.take(record, before); err != nil {
			return File{}, err
		}
	}
	if !r.finished {
		return File{}, field.CutShort(records[len(records)-1].row)
	}
	if len(r.file.Statements) == 0 {
		return File{}, field.Refuse(0, field.StructureField, "", "bankfile.problem.no_statement", nil)
	}
	return r.file, nil
}

// split divides a file into records. An 88 continues the record before it, whatever that is.
func (r *baiReader) split(text string) ([]*baiRecord, error) {
	var records []*baiRecord
	row := 0
	for line := range strings.SplitSeq(text, "\n") {
		row++
		line = strings.TrimRight(strings.TrimLeft(line, " \t\f"), " \t\f\x1a")
		if line == "" {
			continue
		}
		if err := field.Fits(line, r.limits.Field, row); err != nil {
			return nil, err
		}
		code, rest, _ := strings.Cut(line, ",")
		code = strings.TrimRight(code, " /")
		if code == "1" && len(records) == 0 {
			code = "01"
		}
		switch code {
		case "01", "02", "03", "16", "49", "98", "99":
			records = append(records, &baiRecord{code: code, pieces: []string{rest}, row: row, count: 1})
		case "88":
			if len(records) == 0 {
				return nil, field.Refuse(row, field.RecordField, line, "bankfile.problem.bai_order", nil)
			}
			last := records[len(records)-1]
			last.pieces = append(last.pieces, rest)
			last.count++
		default:
			return nil, field.Refuse(row, field.RecordField, line, "bankfile.problem.bai_record", nil)
		}
	}
	return records, nil
}

// fields returns the fields of a record. Only a movement has text, see baiFields.
func (b *baiRecord) fields() []string {
	return strings.Split(strings.Join(trimmed(b.pieces), ","), ",")
}

// trimmed returns pieces without the sign that ends a record.
func trimmed(pieces []string) []string {
	plain := make([]string, len(pieces))
	for i, piece := range pieces {
		plain[i] = strings.TrimSuffix(piece, "/")
	}
	return plain
}

// at returns a field of a record, "" if the record is shorter.
func at(fields []string, i int) string {
	if i < len(fields) {
		return strings.TrimSpace(fields[i])
	}
	return ""
}

func (r *baiReader) take(b *baiRecord, before int) error {
	wrong := field.Refuse(b.row, field.RecordField, b.code, "bankfile.problem.bai_order", nil)
	switch {
	case r.finished:
		return wrong
	case b.code == "01" && before == 0:
		r.file.Version = at(b.fields(), 7)
		return nil
	case b.code == "02" && r.group == nil && before > 0:
		return r.beginGroup(b, before)
	case b.code == "03" && r.group != nil && r.account == nil:
		return r.beginAccount(b, before)
	case b.code == "16" && r.account != nil:
		return r.movement(b)
	case b.code == "49" && r.account != nil:
		return r.endAccount(b)
	case b.code == "98" && r.group != nil && r.account == nil:
		return r.endGroup(b)
	case b.code == "99" && r.group == nil && before > 0:
		return r.end(b)
	default:
		return wrong
	}
}

// beginGroup reads 02: receiver, originator, status, day, time, currency, kind of day.
func (r *baiReader) beginGroup(b *baiRecord, before int) error {
	fields := b.fields()
	if status := at(fields, 2); status == "2" || status == "4" {
		return field.Refuse(b.row, field.RecordField, status, "bankfile.problem.bai_status", nil)
	}
	day, ok := baiDay(at(fields, 3))
	if !ok {
		return field.BadDate(at(fields, 3), b.row)
	}
	r.group = &baiGroup{day: day, currency: r.currency, records: before, interim: at(fields, 6) == "3"}
	if code := at(fields, 5); code != "" {
		currency, err := field.CurrencyOf(strings.ToUpper(code), b.row)
		if err != nil {
			return err
		}
		r.group.currency = currency
	}
	return nil
}

// baiDay reads YYMMDD, or YYYYMMDD as some banks write it.
func baiDay(text string) (ledger.Date, bool) {
	if len(text) == len("260131") {
		text = "20" + text
	}
	if len(text) != len("20260131") {
		return ledger.Date{}, false
	}
	d, err := field.Date(text, "")
	return d, err == nil
}

// beginAccount reads 03: account, currency, then type, amount, count and availability of each balance and sum.
func (r *baiReader) beginAccount(b *baiRecord, before int) error {
	fields := b.fields()
	s := Statement{Account: accountOf(at(fields, 0)), Currency: r.group.currency, From: r.group.day, To: r.group.day, Row: b.row}
	if code := at(fields, 1); code != "" {
		currency, err := field.CurrencyOf(strings.ToUpper(code), b.row)
		if err != nil {
			return err
		}
		s.Currency = currency
	}
	r.account = &baiAccount{statement: s, records: before}
	for i := 2; i < len(fields); {
		code := at(fields, i)
		if code == "" { // a bank ended the line by ",/"
			i++
			continue
		}
		text := at(fields, i+1)
		next, err := skipAvailability(fields, i+3, b.row)
		if err != nil {
			return err
		}
		if i = next; text == "" {
			continue
		}
		minor, err := field.Minor(text)
		if err != nil {
			return field.BadAmount(text, field.BalanceField, b.row, s.Currency, err)
		}
		r.account.sum += minor
		switch code {
		case "010", "10":
			r.account.statement.Opening = &minor
		case "015", "15":
			r.account.statement.Closing, r.account.statement.ClosingOn = &minor, s.To
		}
	}
	return nil
}

// skipAvailability returns the place after the availability that stands at i: its kind, then as many fields as the kind has.
func skipAvailability(fields []string, i, row int) (int, error) {
	switch kind := strings.ToUpper(at(fields, i)); kind {
	case "", "0", "1", "2", "Z":
		return i + 1, nil
	case "V":
		return i + 3, nil
	case "S":
		return i + 4, nil
	case "D":
		n, err := strconv.Atoi(at(fields, i+1))
		if err != nil || n < 0 || n > len(fields) {
			return 0, field.Refuse(row, field.RecordField, at(fields, i+1), "bankfile.problem.bai_availability", nil)
		}
		return i + 2 + 2*n, nil
	default:
		return 0, field.Refuse(row, field.RecordField, kind, "bankfile.problem.bai_availability", nil)
	}
}

// end reads 99: sum of the groups' totals, groups, lines of the file.
func (r *baiReader) end(b *baiRecord) error {
	r.finished = true
	return r.control(b, "99", r.sum, r.groups, r.records)
}

// endGroup reads 98: sum of the accounts' totals, accounts, lines of the group.
func (r *baiReader) endGroup(b *baiRecord) error {
	g := r.group
	r.group, r.sum, r.groups = nil, r.sum+g.sum, r.groups+1
	return r.control(b, "98", g.sum, g.accounts, r.records-g.records)
}

// endAccount reads 49: sum of the amounts, lines of the account.
func (r *baiReader) endAccount(b *baiRecord) error {
	a := r.account
	r.account = nil
	r.group.sum, r.group.accounts = r.group.sum+a.sum, r.group.accounts+1
	if r.group.interim {
		r.file.find(Finding{Kind: Interim, Statement: len(r.file.Statements), Row: a.statement.Row, Phrase: "bankfile.finding.interim",
			Args: fault.Args{"line": a.statement.Row}})
		a.statement.Closing = nil // of a moment within the day
	}
	r.file.Statements = append(r.file.Statements, a.statement)
	return r.control(b, "49", a.sum, -1, r.records-a.records)
}

// control compares a control record with what was read. parts is negative if the record has no number of parts.
func (r *baiReader) control(b *baiRecord, code string, sum int64, parts, lines int) error {
	fields := b.fields()
	total := at(fields, 0)
	if minor, err := strconv.ParseInt(strings.TrimPrefix(total, "+"), 10, 64); err != nil || minor != sum {
		return field.Refuse(b.row, field.TotalField, total, "bankfile.problem.bai_total", fault.Args{"record": code, "found": sum})
	}
	i := 1
	if parts >= 0 {
		if n, err := strconv.Atoi(at(fields, 1)); err != nil || n != parts {
			return field.Refuse(b.row, field.TotalField, at(fields, 1), "bankfile.problem.bai_parts", fault.Args{"record": code, "found": parts})
		}
		i = 2
	}
	if n, err := strconv.Atoi(at(fields, i)); err != nil || n != lines {
		return field.Refuse(b.row, field.TotalField, at(fields, i), "bankfile.problem.bai_lines", fault.Args{"record": code, "found": lines})
	}
	return nil
}
