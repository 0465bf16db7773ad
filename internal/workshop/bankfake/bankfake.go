// Package bankfake writes statements as banks offer them for download: for the demo's bank and for tests. The shipped program
// reads these formats and writes none of them.
package bankfake

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"konbit/internal/books/ledger"
	"konbit/internal/office/bankfile"
	"konbit/internal/platform/money"
)

// The formats.
const (
	CSV    = "csv" // as Chase writes it
	OFX    = "ofx"
	Camt02 = "camt.053.001.02"
	Camt04 = "camt.053.001.04"
	Camt08 = "camt.053.001.08"
	BAI2   = "bai2"
)

// Formats returns all formats.
func Formats() []string { return []string{CSV, OFX, Camt02, Camt04, Camt08, BAI2} }

// MediaType returns the media type of a format.
func MediaType(format string) string {
	switch format {
	case CSV:
		return "text/csv; charset=utf-8"
	case OFX:
		return "application/x-ofx"
	case BAI2:
		return "text/plain; charset=utf-8"
	default:
		return "application/xml"
	}
}

// Extension returns the end of a file name of a format.
func Extension(format string) string {
	switch format {
	case CSV, OFX:
		return "." + format
	case BAI2:
		return ".bai"
	default:
		return ".xml"
	}
}

// Write writes a statement. It must have From, To and Opening; the closing balance is computed. Its lines are oldest first; their
// texts, references and ids are one line each.
func Write(w io.Writer, format string, s bankfile.Statement) error {
	if s.Opening == nil || !slices.Contains(Formats(), format) {
		return fmt.Errorf("bankfake: a statement without opening balance, or the format %q", format)
	}
	out := bufio.NewWriter(w)
	closing := *s.Opening + s.Booked()
	s.Closing = &closing
	var err error
	switch format {
	case CSV:
		err = writeCSV(out, s)
	case OFX:
		writeOFX(out, s)
	case BAI2:
		writeBAI2(out, s)
	default:
		writeCamt(out, s, format)
	}
	if err != nil {
		return err
	}
	return out.Flush()
}

func decimal(minor int64, currency money.Currency) string {
	return money.New(minor, currency).Decimal()
}

// writeCSV writes the newest line first, a comma after each row that the heading lacks, and no balance beside a pending line.
func writeCSV(out io.Writer, s bankfile.Statement) error {
	w := csv.NewWriter(out)
	rows := [][]string{}
	balance := *s.Opening
	for _, line := range s.Lines {
		after := ""
		if !line.Pending {
			balance += line.Amount
			after = decimal(balance, s.Currency)
		}
		details, kind := "CREDIT", "ACH_CREDIT"
		switch {
		case line.Amount < 0 && line.Reference != "":
			details, kind = "CHECK", "CHECK_PAID"
		case line.Amount < 0:
			details, kind = "DEBIT", "ACH_DEBIT"
		}
		rows = append(rows, []string{details, line.BookedOn.In(time.UTC).Format("01/02/2006"), line.Text, decimal(line.Amount, s.Currency), kind, after, line.Reference, ""})
	}
	slices.Reverse(rows)
	if err := w.Write(strings.Split("Details,Posting Date,Description,Amount,Type,Balance,Check or Slip #", ",")); err != nil {
		return err
	}
	return w.WriteAll(rows)
}

const ofxHead = "OFXHEADER:100\nDATA:OFXSGML\nVERSION:102\nSECURITY:NONE\nENCODING:UTF-8\nCHARSET:NONE\nCOMPRESSION:NONE\nOLDFILEUID:NONE\nNEWFILEUID:NONE\n\n"

var ofxText = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// writeOFX writes OFX 1.02. As in files of banks, elements have no end tag, and a long text stands whole in MEMO and cut in NAME.
func writeOFX(out io.Writer, s bankfile.Statement) {
	day := func(d ledger.Date) string { return d.In(time.UTC).Format("20060102") + "120000[-5:EST]" }
	fmt.Fprintf(out, "%s<OFX>\n<SIGNONMSGSRSV1><SONRS><STATUS><CODE>0<SEVERITY>INFO</STATUS><DTSERVER>%s<LANGUAGE>ENG</SONRS></SIGNONMSGSRSV1>\n", ofxHead, day(s.To))
	fmt.Fprintf(out, "<BANKMSGSRSV1><STMTTRNRS><TRNUID>1<STATUS><CODE>0<SEVERITY>INFO</STATUS>\n<STMTRS><CURDEF>%s\n", s.Currency)
	fmt.Fprintf(out, "<BANKACCTFROM><BANKID>021000021<ACCTID>%s<ACCTTYPE>CHECKING</BANKACCTFROM>\n", ofxText.Replace(s.Account.ID))
	fmt.Fprintf(out, "<BANKTRANLIST><DTSTART>%s<DTEND>%s\n", day(s.From), day(s.To))
	for _, line := range s.Lines {
		if !line.Pending {
			writeOFXLine(out, "STMTTRN", "DTPOSTED", day(line.BookedOn), line, s.Currency)
		}
	}
	fmt.Fprint(out, "</BANKTRANLIST>\n")
	fmt.Fprintf(out, "<LEDGERBAL><BALAMT>%s<DTASOF>%s</LEDGERBAL>\n", decimal(*s.Closing, s.Currency), day(s.To))
	fmt.Fprintf(out, "<AVAILBAL><BALAMT>%s<DTASOF>%s</AVAILBAL>\n", decimal(*s.Closing, s.Currency), day(s.To))
	fmt.Fprint(out, "<BANKTRANLISTP>\n")
	for _, line := range s.Lines {
		if line.Pending {
			writeOFXLine(out, "STMTTRNP", "DTTRAN", day(line.BookedOn), line, s.Currency)
		}
	}
	fmt.Fprint(out, "</BANKTRANLISTP>\n</STMTRS></STMTTRNRS></BANKMSGSRSV1>\n</OFX>\n")
}

func writeOFXLine(out io.Writer, tag, dateTag, day string, line bankfile.Line, currency money.Currency) {
	kind := "CREDIT"
	if line.Amount < 0 {
		kind = "DEBIT"
	}
	fmt.Fprintf(out, "<%s>\n<TRNTYPE>%s\n<%s>%s\n<TRNAMT>%s\n<FITID>%s\n", tag, kind, dateTag, day, decimal(line.Amount, currency), ofxText.Replace(line.BankID))
	if line.Reference != "" {
		fmt.Fprintf(out, "<CHECKNUM>%s\n", ofxText.Replace(line.Reference))
	}
	const nameLength = 32
	runes := []rune(line.Text)
	fmt.Fprintf(out, "<NAME>%s\n", ofxText.Replace(strings.TrimSpace(string(runes[:min(len(runes), nameLength)]))))
	if len(runes) > nameLength {
		fmt.Fprintf(out, "<MEMO>%s\n", ofxText.Replace(line.Text))
	}
	fmt.Fprintf(out, "</%s>\n", tag)
}
