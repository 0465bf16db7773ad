package layout

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// vocabulary lists the headings of columns, in lower case without accents and signs, the likeliest first.
var vocabulary = map[string][]string{
	"date": {"posting date", "post date", "posted date", "date posted", "booking date", "book date", "booked on", "transaction date", "trans date", "date",
		"fecha de operacion", "fecha operacion", "fecha contable", "fecha", "data lancamento", "data mov", "data", "buchungstag", "buchungsdatum",
		"datum", "boekdatum", "date operation", "date de comptabilisation", "value date", "effective date", "valuta", "fecha valor"},
	"amount": {"amount", "transaction amount", "amount usd", "net amount", "amt", "importe", "monto", "valor", "quantia", "betrag", "umsatz", "bedrag", "montant"},
	"debit": {"debit", "debits", "debit amount", "amount debit", "withdrawal", "withdrawals", "withdrawal amount", "withdrawal amt", "money out", "paid out", "payments",
		"cargo", "cargos", "debito", "debitos", "debe", "retiro", "retiros", "soll", "out"},
	"credit": {"credit", "credits", "credit amount", "amount credit", "deposit", "deposits", "deposit amount", "deposit amt", "money in", "paid in", "receipts",
		"abono", "abonos", "credito", "creditos", "haber", "deposito", "depositos", "haben", "in"},
	"balance": {"balance", "running balance", "running bal", "runningbalance", "ledger balance", "closing balance", "saldo", "kontostand", "solde"},
	"reference": {"check number", "checknumber", "check no", "check", "check or slip", "cheque number", "cheque no", "cheque", "reference number", "reference", "ref",
		"ref no", "serial number", "customer reference", "numero de cheque", "referencia", "documento", "kundenreferenz"},
	"text": {"description", "transaction description", "original description", "extended description", "name", "payee", "memo", "details", "transaction details",
		"narrative", "narration", "particulars", "concepto", "descripcion", "detalle", "descricao", "historico", "beneficiario", "verwendungszweck", "auftraggeber",
		"buchungstext", "omschrijving", "naam", "libelle", "merchant", "addenda"},
	"status":   {"status", "estado", "transaction status"},
	"sign":     {"credit debit", "debit credit", "dr cr", "cr dr", "credit or debit", "debit or credit", "credit debit indicator", "transaction type", "type", "tipo", "af bij"},
	"currency": {"currency", "currency code", "ccy", "moneda", "divisa", "moeda", "wahrung"},
	"account":  {"account number", "account no", "account", "iban", "cuenta", "numero de cuenta", "conta", "konto", "auftragskonto"},
	"id":       {"transaction id", "id", "fitid", "bank reference", "transaction reference", "reference id"},
}

// plainHeading returns a heading in lower case without accents and signs.
func plainHeading(text string) string {
	var b strings.Builder
	for _, r := range norm.NFD.String(strings.ToLower(text)) {
		switch {
		case unicode.Is(unicode.Mn, r):
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			b.WriteRune(r)
		default:
			b.WriteByte(' ')
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// columnsNamed returns the columns whose headings are in the vocabulary, in its order.
func columnsNamed(heading []string, what string) (columns []int) {
	for _, word := range vocabulary[what] {
		for i, cell := range heading {
			if plainHeading(cell) == word && !slices.Contains(columns, i+1) {
				columns = append(columns, i+1)
			}
		}
	}
	return columns
}
