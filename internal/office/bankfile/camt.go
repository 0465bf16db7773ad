package bankfile

import (
	"regexp"
	"strings"

	"konbit/internal/books/ledger"
	"konbit/internal/office/bankfile/field"
	"konbit/internal/office/bankfile/markup"
	"konbit/internal/platform/fault"
)

var camtVersion = regexp.MustCompile(`camt\.05\d\.001\.\d\d`)

// readCamt reads bank-to-customer statements (ISO 20022, camt.053). The interim report 052 and the notification 054 are no
// statements: they have other lines, or the same ones before they are final.
func (in *reading) readCamt(text string) (File, error) {
	root, err := markup.Tree(text, in.limits.Field)
	if err != nil {
		return File{}, err
	}
	f := File{Version: camtVersion.FindString(text[:min(len(text), 4096)])}
	var messages []*markup.Node
	if err := collect(root, &messages); err != nil {
		return File{}, err
	}
	for _, message := range messages {
		for _, n := range message.All("Stmt") {
			s, err := in.camtStatement(n)
			if err != nil {
				return File{}, err
			}
			f.Statements = append(f.Statements, s)
		}
	}
	if len(f.Statements) == 0 {
		return File{}, field.Refuse(0, field.StructureField, "", "bankfile.problem.no_statement", nil)
	}
	return f, nil
}

// collect finds the messages of a file, whatever envelopes they are in.
func collect(n *markup.Node, messages *[]*markup.Node) error {
	for _, k := range n.Kids {
		switch k.Name {
		case "BkToCstmrStmt":
			*messages = append(*messages, k)
		case "BkToCstmrAcctRpt":
			return field.Refuse(k.Row, field.StructureField, k.Name, "bankfile.problem.not_a_statement", fault.Args{"message": "camt.052"})
		case "BkToCstmrDbtCdtNtfctn":
			return field.Refuse(k.Row, field.StructureField, k.Name, "bankfile.problem.not_a_statement", fault.Args{"message": "camt.054"})
		default:
			if err := collect(k, messages); err != nil {
				return err
			}
		}
	}
	return nil
}

// camtStatement reads a statement.
func (in *reading) camtStatement(n *markup.Node) (Statement, error) {
	acct := n.Find("Acct")
	id := ""
	if acct != nil {
		id = acct.First("Id/IBAN", "Id/Othr/Id", "Id/PrtryAcct/Id", "Id/BBAN", "Id/UPIC")
	}
	s := Statement{Account: accountOf(field.OneLine(id)), Currency: in.currency, Row: n.Row}
	entries := n.All("Ntry")
	if code := camtCurrency(n, entries); code != "" {
		currency, err := field.CurrencyOf(strings.ToUpper(code), n.Row)
		if err != nil {
			return s, err
		}
		s.Currency = currency
	}
	s.From = camtDayIf(n.First("FrToDt/FrDtTm", "FrToDt/FrDt"))
	s.To = camtDayIf(n.First("FrToDt/ToDtTm", "FrToDt/ToDt"))
	if err := in.camtBalances(&s, n); err != nil {
		return s, err
	}
	var reversals []int
	for _, entry := range entries {
		line, booked, err := in.camtEntry(&s, entry)
		if err != nil {
			return s, err
		}
		if err := in.add(&s, line); err != nil {
			return s, err
		}
		if booked && isTrue(entry.Get("RvslInd")) {
			reversals = append(reversals, len(s.Lines)-1)
		}
	}
	turnReversals(&s, reversals)
	oldestFirst(s.Lines, false)
	return s, nil
}

// camtCurrency returns the account's currency, or that of a balance or an entry.
func camtCurrency(n *markup.Node, entries []*markup.Node) string {
	if code := n.Get("Acct/Ccy"); code != "" {
		return code
	}
	for _, part := range append(n.All("Bal"), entries...) {
		if amt := part.Find("Amt"); amt != nil && amt.Currency != "" {
			return amt.Currency
		}
	}
	return ""
}

// turnReversals decides the sign of reversals. By the standard, CdtDbtInd says what the entry does to the account; some banks
// write what the reversed entry did. The sign with which the statement balances is taken, the standard's first.
func turnReversals(s *Statement, reversals []int) {
	difference, known := s.Difference()
	if !known || difference == 0 {
		return
	}
	var sum int64
	for _, i := range reversals {
		sum += s.Lines[i].Amount
	}
	if difference == 2*sum {
		for _, i := range reversals {
			s.Lines[i].Amount = -s.Lines[i].Amount
		}
	}
}

// camtBalances reads the booked balances: OPBD or PRCD before the first line, CLBD after the last one. Where a statement has
// several pages, a page may have ITBD instead: the first is the opening one and the last the closing one.
func (in *reading) camtBalances(s *Statement, n *markup.Node) error {
	var interim []*markup.Node
	for _, bal := range n.All("Bal") {
		code := strings.ToUpper(bal.First("Tp/CdOrPrtry/Cd", "Tp/CdOrPrtry/Prtry", "Tp/Cd"))
		switch code {
		case "OPBD", "PRCD":
			if s.Opening != nil && code == "PRCD" {
				continue
			}
			minor, err := camtBalance(s, bal)
			if err != nil {
				return err
			}
			s.Opening = &minor
		case "CLBD":
			minor, err := camtBalance(s, bal)
			if err != nil {
				return err
			}
			s.Closing, s.ClosingOn = &minor, camtDayIf(bal.First("Dt/Dt", "Dt/DtTm", "Dt"))
		case "ITBD":
			interim = append(interim, bal)
		}
	}
	if s.Opening == nil && len(interim) > 0 && (s.Closing != nil || len(interim) > 1) {
		minor, err := camtBalance(s, interim[0])
		if err != nil {
			return err
		}
		s.Opening = &minor
		interim = interim[1:]
	}
	if s.Closing == nil && len(interim) > 0 {
		last := interim[len(interim)-1]
		minor, err := camtBalance(s, last)
		if err != nil {
			return err
		}
		s.Closing, s.ClosingOn = &minor, camtDayIf(last.First("Dt/Dt", "Dt/DtTm", "Dt"))
	}
	return nil
}

func camtBalance(s *Statement, bal *markup.Node) (int64, error) {
	return camtAmount(s, bal, field.BalanceField)
}

// camtAmount reads Amt and CdtDbtInd of a balance or an entry.
func camtAmount(s *Statement, n *markup.Node, name string) (int64, error) {
	amt := n.Find("Amt")
	if amt == nil || amt.Text == "" {
		return 0, field.Refuse(amt.Line(n.Row), name, "", "bankfile.problem.no_amount", nil)
	}
	if amt.Currency != "" && !strings.EqualFold(amt.Currency, string(s.Currency)) {
		return 0, field.Refuse(amt.Row, field.CurrencyField, amt.Currency, "bankfile.problem.other_currency", fault.Args{"currency": string(s.Currency)})
	}
	sign := byte('.')
	if strings.Contains(amt.Text, ",") {
		sign = 0
	}
	minor, err := field.AmountOf(amt.Text, sign, s.Currency, name, amt.Row)
	if err != nil {
		return 0, err
	}
	switch direction := n.Find("CdtDbtInd"); {
	case direction != nil && direction.Text == "CRDT":
		return minor, nil
	case direction != nil && direction.Text == "DBIT":
		return -minor, nil
	default:
		return 0, field.Refuse(direction.Line(n.Row), field.DirectionField, n.Get("CdtDbtInd"), "bankfile.problem.direction", nil)
	}
}

// camtEntry reads an entry. The entry's own amount counts; its TxDtls only explain it.
func (in *reading) camtEntry(s *Statement, n *markup.Node) (line Line, booked bool, err error) {
	line = Line{Row: n.Row, BankID: n.First("AcctSvcrRef", "NtryDtls/TxDtls/Refs/AcctSvcrRef")}
	if line.Amount, err = camtAmount(s, n, field.AmountField); err != nil {
		return line, false, err
	}
	status := strings.ToUpper(n.First("Sts/Cd", "Sts/Prtry", "Sts"))
	booked = status == "" || status == "BOOK" || status == "BOOKED"
	line.Pending = !booked
	date := n.First("BookgDt/Dt", "BookgDt/DtTm", "BookgDt")
	if date == "" {
		date = n.First("ValDt/Dt", "ValDt/DtTm", "ValDt")
	}
	day, ok := camtDay(date)
	if !ok && (booked || date != "") {
		at := n.Find("BookgDt")
		return line, booked, field.BadDate(date, at.Line(n.Row))
	}
	line.BookedOn = day
	var details []*markup.Node
	for _, d := range n.All("NtryDtls") {
		details = append(details, d.All("TxDtls")...)
	}
	line.Text = camtText(n, details, line.Amount > 0)
	line.Reference = camtReference(n, details)
	return line, booked, nil
}

// camtText returns the text of an entry: who paid or was paid, what for, and what the bank adds. Many transactions in one
// entry are described by the bank's text, if there is one.
func camtText(n *markup.Node, details []*markup.Node, credit bool) string {
	own := n.Get("AddtlNtryInf")
	const many = 3
	if len(details) > many && own != "" {
		return own
	}
	var texts []string
	for _, d := range details[:min(len(details), 20)] {
		party := d.First("RltdPties/Cdtr/Nm", "RltdPties/Cdtr/Pty/Nm")
		if credit {
			party = d.First("RltdPties/Dbtr/Nm", "RltdPties/Dbtr/Pty/Nm")
		}
		texts = append(texts, party)
		for _, remittance := range d.Find("RmtInf").All("Ustrd") {
			texts = append(texts, remittance.Text)
		}
		for _, structured := range d.Find("RmtInf").All("Strd") {
			texts = append(texts, structured.Get("CdtrRefInf/Ref"), structured.Get("AddtlRmtInf"))
		}
		texts = append(texts, d.Get("AddtlTxInf"))
	}
	if text := field.Joined(append(texts, own)...); text != "" {
		return text
	}
	return n.First("BkTxCd/Prtry/Cd", "BkTxCd/Domn/Fmly/SubFmlyCd")
}

// camtReference returns the check number, or the id that the payer gave, of an entry with one transaction.
func camtReference(n *markup.Node, details []*markup.Node) string {
	if len(details) == 1 {
		refs := details[0].Find("Refs")
		if refs != nil {
			for _, name := range []string{"ChqNb", "EndToEndId", "InstrId", "TxId"} {
				if ref := refs.Get(name); ref != "" && !strings.EqualFold(ref, "NOTPROVIDED") {
					return ref
				}
			}
		}
	}
	if ref := n.Get("NtryRef"); len(details) == 0 && !strings.EqualFold(ref, "NOTPROVIDED") {
		return ref
	}
	return ""
}

func isTrue(text string) bool { return strings.EqualFold(text, "true") || text == "1" }

// camtDay reads a date, which may have a time: the day that the bank writes, whatever its time zone.
func camtDay(text string) (ledger.Date, bool) {
	const length = len("2026-01-31")
	if len(text) < length {
		return ledger.Date{}, false
	}
	d, err := field.Date(text[:length], "")
	return d, err == nil && text[4] == '-'
}

func camtDayIf(text string) ledger.Date {
	d, _ := camtDay(text)
	return d
}
