package bankfile

import (
	"regexp"
	"slices"
	"strings"

	"konbit/internal/books/ledger"
	"konbit/internal/office/bankfile/field"
	"konbit/internal/office/bankfile/markup"
	"konbit/internal/platform/fault"
)

// ofxParts are the aggregates of OFX 1.0 to 2.3 that matter here. Fields of others inside them (PAYEE, BANKACCTTO, the
// currencies of a line) are taken for no field of the part around them.
var ofxParts = map[string]bool{
	"STMTRS": true, "CCSTMTRS": true, "INVSTMTRS": true, "BANKACCTFROM": true, "CCACCTFROM": true, "INVACCTFROM": true, "BANKTRANLIST": true,
	"BANKTRANLISTP": true, "STMTTRN": true, "STMTTRNP": true, "LEDGERBAL": true, "AVAILBAL": true, "PAYEE": true, "BANKACCTTO": true,
	"CCACCTTO": true, "CURRENCY": true, "ORIGCURRENCY": true, "BALLIST": true, "BAL": true, "STATUS": true, "IMAGEDATA": true,
}

// ofxValue is a field as it stands in the file.
type ofxValue struct {
	text string
	row  int
}

// ofxPart is an open aggregate with its fields.
type ofxPart struct {
	name   string
	row    int
	fields map[string]ofxValue
}

// ofxReader reads a file by its tags. Amounts are read at the end of a statement, because the statement's amounts together
// show its decimal sign.
type ofxReader struct {
	*reading
	tokens  *markup.Tags
	open    []*ofxPart
	file    File
	current *ofxStatement
	whole   bool // the end tag of the file was seen
	refused ofxValue
}

// ofxStatement is a statement whose amounts are not read yet.
type ofxStatement struct {
	row              int
	account          string
	fields           map[string]ofxValue // of the statement, and DTSTART and DTEND of its list
	closing, closeOn ofxValue
	lines            []*ofxPart
}

var ofxVersion = regexp.MustCompile(`(?i)\bVERSION\s*[:=]\s*["']?(\d{3})`)

func (in *reading) readOFX(text string) (File, error) {
	r := &ofxReader{reading: in, tokens: markup.NewTags(text)}
	if strings.Contains(text, "<!ENTITY") {
		return File{}, field.Refuse(0, field.StructureField, "<!ENTITY", "bankfile.problem.entities", nil)
	}
	head := text
	if i := strings.Index(strings.ToUpper(text[:min(len(text), 64<<10)]), "<OFX>"); i >= 0 {
		head = text[:i]
	}
	// The version of the format stands after that of XML.
	for _, m := range ofxVersion.FindAllStringSubmatch(head[:min(len(head), 2048)], -1) {
		r.file.Version = m[1]
	}
	for {
		token, ok := r.tokens.Next()
		if !ok {
			break
		}
		if err := r.take(token); err != nil {
			return File{}, err
		}
	}
	if !r.whole || len(r.open) > 0 {
		return File{}, field.CutShort(r.tokens.Row())
	}
	if len(r.file.Statements) == 0 {
		if r.refused.text != "" {
			return File{}, field.Refuse(r.refused.row, field.StructureField, r.refused.text, "bankfile.problem.ofx_refused", nil)
		}
		return File{}, field.Refuse(0, field.StructureField, "", "bankfile.problem.no_statement", nil)
	}
	return r.file, nil
}

// take takes one tag.
func (r *ofxReader) take(token markup.Tag) error {
	if err := field.Fits(token.Text, r.limits.Field, token.Row); err != nil {
		return err
	}
	switch {
	case token.Name == "OFX":
		r.whole = token.End
		return nil
	case ofxParts[token.Name] && token.End:
		return r.close(token.Name, token.Row)
	case ofxParts[token.Name] && token.Text == "":
		return r.begin(token)
	case token.End || len(r.open) == 0:
		return nil
	}
	part := r.open[len(r.open)-1]
	if before, twice := part.fields[token.Name]; !twice || before.text == "" {
		part.fields[token.Name] = ofxValue{token.Text, token.Row}
	}
	return nil
}

// begin opens an aggregate. A line or a balance whose end tag is missing ends where the next one begins.
func (r *ofxReader) begin(token markup.Tag) error {
	lists := []string{"STMTTRN", "STMTTRNP", "LEDGERBAL", "AVAILBAL", "BANKTRANLIST", "BANKTRANLISTP"}
	if slices.Contains(lists, token.Name) {
		for len(r.open) > 0 && (strings.HasPrefix(r.top(), "STMTTRN") || strings.HasSuffix(r.top(), "BAL") || strings.HasPrefix(token.Name, "BANKTRANLIST") && strings.HasPrefix(r.top(), "BANKTRANLIST")) {
			if err := r.close(r.top(), token.Row); err != nil {
				return err
			}
		}
	}
	const deepest = 32
	if len(r.open) >= deepest {
		return field.Refuse(token.Row, field.StructureField, token.Name, "bankfile.problem.depth", nil)
	}
	if slices.Contains([]string{"STMTRS", "CCSTMTRS", "INVSTMTRS"}, token.Name) {
		if r.current != nil {
			return field.Refuse(token.Row, field.StructureField, token.Name, "bankfile.problem.structure", nil)
		}
		r.current = &ofxStatement{row: token.Row}
	}
	r.open = append(r.open, &ofxPart{name: token.Name, row: token.Row, fields: map[string]ofxValue{}})
	return nil
}

func (r *ofxReader) top() string { return r.open[len(r.open)-1].name }

// close ends an aggregate, and those in it whose end tags are missing. An end tag without its begin is ignored.
func (r *ofxReader) close(name string, row int) error {
	i := len(r.open) - 1
	for i >= 0 && r.open[i].name != name {
		i--
	}
	if i < 0 {
		return nil
	}
	for len(r.open) > i {
		part := r.open[len(r.open)-1]
		r.open = r.open[:len(r.open)-1]
		if err := r.finish(part, row); err != nil {
			return err
		}
	}
	return nil
}

// inside reports whether an aggregate of this name is open.
func (r *ofxReader) inside(name string) bool {
	return slices.ContainsFunc(r.open, func(p *ofxPart) bool { return p.name == name })
}

// finish uses the fields of an aggregate that ended.
func (r *ofxReader) finish(part *ofxPart, row int) error {
	if part.name == "STATUS" && strings.EqualFold(part.fields["SEVERITY"].text, "ERROR") && r.refused.text == "" {
		r.refused = ofxValue{field.Joined(part.fields["CODE"].text, part.fields["MESSAGE"].text), part.row}
	}
	s := r.current
	if s == nil {
		return nil
	}
	switch part.name {
	case "BANKACCTFROM", "CCACCTFROM", "INVACCTFROM":
		if s.account == "" {
			s.account = part.fields["ACCTID"].text
		}
	case "PAYEE":
		if n := len(r.open); n > 0 && r.open[n-1].fields["NAME"].text == "" {
			r.open[n-1].fields["NAME"] = part.fields["NAME"]
		}
	case "CURRENCY":
		if n := len(r.open); n > 0 {
			r.open[n-1].fields["CURRENCY"] = part.fields["CURSYM"]
		}
	case "STMTTRN", "STMTTRNP":
		s.lines = append(s.lines, part)
		if len(s.lines)+r.lines > r.limits.Lines {
			return field.Refuse(part.row, field.StructureField, "", "bankfile.problem.too_many", fault.Args{"limit": r.limits.Lines})
		}
	case "LEDGERBAL":
		if s.closing.text == "" {
			s.closing, s.closeOn = part.fields["BALAMT"], part.fields["DTASOF"]
		}
	case "BANKTRANLIST":
		s.fields = part.fields
	case "STMTRS", "CCSTMTRS", "INVSTMTRS":
		r.current = nil
		return r.statement(s, part)
	}
	return nil
}

// statement reads the amounts and dates of a statement.
func (r *ofxReader) statement(raw *ofxStatement, part *ofxPart) error {
	s := Statement{Account: accountOf(field.OneLine(raw.account)), Currency: r.currency, Row: raw.row}
	var err error
	if code := part.fields["CURDEF"]; code.text != "" {
		if s.Currency, err = field.CurrencyOf(strings.ToUpper(code.text), code.row); err != nil {
			return err
		}
	}
	s.From, s.To = ofxDayIf(raw.fields["DTSTART"].text), ofxDayIf(raw.fields["DTEND"].text)
	sign := ofxDecimalSign(raw)
	if raw.closing.text != "" {
		closing, err := field.AmountOf(raw.closing.text, sign, s.Currency, field.BalanceField, raw.closing.row)
		if err != nil {
			return err
		}
		s.Closing, s.ClosingOn = &closing, ofxDayIf(raw.closeOn.text)
	}
	for _, line := range raw.lines {
		if err := r.line(&s, line, sign); err != nil {
			return err
		}
	}
	pending := slices.DeleteFunc(slices.Clone(s.Lines), func(l Line) bool { return !l.Pending })
	s.Lines = slices.DeleteFunc(s.Lines, func(l Line) bool { return l.Pending })
	oldestFirst(s.Lines, false)
	oldestFirst(pending, false) // a list of its own in the file
	s.Lines = append(s.Lines, pending...)
	r.file.Statements = append(r.file.Statements, s)
	return nil
}

// ofxDecimalSign returns the decimal sign of a statement. A point is one where nothing shows another.
func ofxDecimalSign(raw *ofxStatement) byte {
	numbers, commas := []string{raw.closing.text}, strings.Contains(raw.closing.text, ",")
	for _, line := range raw.lines {
		text := line.fields["TRNAMT"].text
		numbers, commas = append(numbers, text), commas || strings.Contains(text, ",")
	}
	if sign := field.DecimalSign(numbers); sign != 0 || commas {
		return sign
	}
	return '.'
}

// line reads a line.
func (r *ofxReader) line(s *Statement, part *ofxPart, sign byte) error {
	f := part.fields
	line := Line{Row: part.row, Pending: part.name == "STMTTRNP", BankID: f["FITID"].text}
	posted := f["DTPOSTED"]
	if posted.text == "" && line.Pending {
		posted = f["DTTRAN"]
	}
	if posted.row == 0 {
		posted.row = part.row
	}
	day, ok := ofxDay(posted.text)
	if !ok && (!line.Pending || posted.text != "") {
		return field.BadDate(posted.text, posted.row)
	}
	line.BookedOn = day
	value := f["TRNAMT"]
	if value.text == "" {
		return field.Refuse(part.row, field.AmountField, "", "bankfile.problem.no_amount", nil)
	}
	var err error
	if line.Amount, err = field.AmountOf(value.text, sign, s.Currency, field.AmountField, value.row); err != nil {
		return err
	}
	if other := f["CURRENCY"]; other.text != "" && !strings.EqualFold(other.text, string(s.Currency)) {
		return field.Refuse(other.row, field.CurrencyField, other.text, "bankfile.problem.other_currency", fault.Args{"currency": string(s.Currency)})
	}
	line.Text = field.Joined(f["NAME"].text, f["EXTDNAME"].text, f["MEMO"].text)
	if line.Reference = f["CHECKNUM"].text; line.Reference == "" {
		line.Reference = f["REFNUM"].text
	}
	if corrected := f["CORRECTFITID"]; corrected.text != "" {
		r.file.find(Finding{Kind: Corrected, Statement: len(r.file.Statements), Row: part.row, Phrase: "bankfile.finding.correction",
			Args: fault.Args{"line": part.row, "reference": field.Excerpt(field.OneLine(corrected.text))}})
		if strings.EqualFold(f["CORRECTACTION"].text, "DELETE") {
			return nil
		}
	}
	return r.add(s, line)
}

var ofxDashed = regexp.MustCompile(`^(\d{4})[-/](\d{2})[-/](\d{2})`)

// ofxDay reads a date: the day as the bank writes it, in the zone that it names ("20260131235959.000[-5:EST]").
func ofxDay(text string) (ledger.Date, bool) {
	text = ofxDashed.ReplaceAllString(strings.TrimSpace(text), "$1$2$3")
	if len(text) < 8 {
		return ledger.Date{}, false
	}
	d, err := field.Date(text[:8], "")
	return d, err == nil
}

// ofxDayIf returns the day, the zero day if there is none: banks leave the dates of lists and balances empty.
func ofxDayIf(text string) ledger.Date {
	d, _ := ofxDay(text)
	return d
}
