package payoutlist

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"konbit/internal/platform/money"
)

// ReportRow is a row of the processor's payout reconciliation report.
type ReportRow struct {
	Line          int    // of the file; the heading is line 1
	PayoutRef     string // empty: of no automatic payout
	TransactionID string
	Category      string // the processor's reporting category
	Gross         int64  // in minor units of Currency, like Fee and Net
	Fee           int64
	Net           int64
	Currency      money.Currency
}

// MaxReport is how large a report may be, in bytes.
const MaxReport = 10 << 20

// ReportError is why a report cannot be read.
type ReportError struct {
	Line   int    // of the file; 0: the whole of it
	Why    string // empty, csv, columns, amount, currency or transaction
	Detail string // the missing columns, or what stands there
}

// Error returns the reason in English.
func (e *ReportError) Error() string {
	why := map[string]string{
		"empty":       "the file has no heading",
		"csv":         "this is no CSV: " + e.Detail,
		"columns":     "the heading lacks " + e.Detail + ": choose the payout reconciliation report of Stripe, itemised",
		"amount":      "not an amount of its currency: " + e.Detail,
		"currency":    "not a currency: " + e.Detail,
		"transaction": "no balance_transaction_id",
	}[e.Why]
	if e.Line == 0 {
		return why
	}
	return fmt.Sprintf("line %d: %s", e.Line, why)
}

// reportColumns are the columns that a report must have, by Stripe's names.
var reportColumns = []string{"automatic_payout_id", "balance_transaction_id", "reporting_category", "gross", "fee", "net", "currency"}

// ReadReport reads Stripe's payout reconciliation report: CSV in UTF-8, with or without a byte order mark, with the columns of
// reportColumns in any order and others between them. Amounts are in major units with a decimal point. A *ReportError says what
// is wrong, and nothing is returned then.
func ReadReport(r io.Reader) (rows []ReportRow, err error) {
	buffered := bufio.NewReader(r)
	if mark, _ := buffered.Peek(3); bytes.Equal(mark, []byte("\ufeff")) {
		_, _ = buffered.Discard(len(mark)) // it was peeked at
	}
	file := csv.NewReader(buffered)
	file.FieldsPerRecord, file.ReuseRecord = -1, true
	head, err := file.Read()
	if errors.Is(err, io.EOF) {
		return nil, &ReportError{Why: "empty"}
	}
	if err != nil {
		return nil, notCSV(err)
	}
	at, err := columnsOf(head)
	if err != nil {
		return nil, err
	}
	for {
		record, err := file.Read()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, notCSV(err)
		}
		line, _ := file.FieldPos(0)
		if len(record) == 1 && strings.TrimSpace(record[0]) == "" {
			continue // a line with nothing but spaces
		}
		row, err := readRow(line, func(name string) string {
			if i := at[name]; i < len(record) {
				return strings.TrimSpace(record[i])
			}
			return ""
		})
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
}

// notCSV returns the error of a file that cannot be read as CSV. A failure of the reader itself stays what it is.
func notCSV(err error) error {
	var parse *csv.ParseError
	if errors.As(err, &parse) {
		return &ReportError{Line: parse.Line, Why: "csv", Detail: parse.Err.Error()}
	}
	return err
}

// columnsOf returns the places of the columns by their names.
func columnsOf(head []string) (map[string]int, error) {
	at := map[string]int{}
	for i, name := range head {
		name = strings.ToLower(strings.TrimSpace(name))
		if _, twice := at[name]; !twice {
			at[name] = i
		}
	}
	var missing []string
	for _, name := range reportColumns {
		if _, found := at[name]; !found {
			missing = append(missing, name)
		}
	}
	if missing != nil {
		return nil, &ReportError{Line: 1, Why: "columns", Detail: strings.Join(missing, ", ")}
	}
	return at, nil
}

func readRow(line int, field func(name string) string) (row ReportRow, err error) {
	row = ReportRow{
		Line: line, PayoutRef: strings.Clone(field("automatic_payout_id")), TransactionID: strings.Clone(field("balance_transaction_id")),
		Category: strings.ToLower(strings.Clone(field("reporting_category"))), Currency: money.Currency(strings.ToUpper(field("currency"))),
	}
	if row.TransactionID == "" {
		return row, &ReportError{Line: line, Why: "transaction"}
	}
	if !row.Currency.Valid() {
		return row, &ReportError{Line: line, Why: "currency", Detail: strconv.Quote(field("currency"))}
	}
	for _, amount := range []struct {
		name string
		to   *int64
	}{{"gross", &row.Gross}, {"fee", &row.Fee}, {"net", &row.Net}} {
		minor, ok := minorOf(field(amount.name), row.Currency.Exponent())
		if !ok {
			return row, &ReportError{Line: line, Why: "amount", Detail: amount.name + " " + strconv.Quote(field(amount.name))}
		}
		*amount.to = minor
	}
	return row, nil
}

// minorOf reads a number in major units of a currency with some decimal places: "-12.50", "12.5", "500", and zeros beyond the
// places. It never rounds.
func minorOf(text string, places int) (minor int64, ok bool) {
	number, negative := strings.CutPrefix(text, "-")
	whole, fraction, _ := strings.Cut(number, ".")
	if len(fraction) > places {
		if strings.Trim(fraction[places:], "0") != "" {
			return 0, false
		}
		fraction = fraction[:places]
	}
	digits := whole + fraction + strings.Repeat("0", places-len(fraction))
	if whole == "" || strings.Trim(digits, "0123456789") != "" {
		return 0, false
	}
	minor, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || minor == math.MinInt64 {
		return 0, false
	}
	if negative {
		minor = -minor
	}
	return minor, true
}

// categories are the reporting categories that a transaction of a type may have. A type that is not here may have any.
var categories = map[string][]string{
	"charge": {"charge"}, "payment": {"charge"}, "payment_failure_refund": {"charge_failure"},
	"refund": {"refund"}, "payment_refund": {"refund"}, "refund_failure": {"refund_failure"}, "payment_refund_failure": {"refund_failure"},
	"payout": {"payout"}, "payout_failure": {"payout_reversal"}, "payout_cancel": {"payout_reversal"}, "stripe_fee": {"fee"},
}

// categoriesOf returns the reporting categories that a line may have; nil: any. An adjustment of a dispute takes money, or gives
// it back.
func categoriesOf(l Line) []string {
	if l.Type != "adjustment" || !strings.HasPrefix(l.SourceID, "dp_") && !strings.HasPrefix(l.SourceID, "du_") {
		return categories[l.Type]
	}
	if l.Gross > 0 {
		return []string{"dispute_reversal"}
	}
	return []string{"dispute"}
}

func mayBe(l Line, category string) bool {
	known := categoriesOf(l)
	return known == nil || slices.Contains(known, category)
}
