package bankfake

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"

	"konbit/internal/books/ledger"
	"konbit/internal/office/bankfile"
	"konbit/internal/platform/money"
)

func xmlText(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a strings.Builder has no errors
	return b.String()
}

func direction(minor int64) (string, int64) {
	if minor < 0 {
		return "DBIT", -minor
	}
	return "CRDT", minor
}

// writeCamt writes a statement of one of three versions. They differ in the place of the status and of the payer's name, and in
// times where .02 has dates.
func writeCamt(out io.Writer, s bankfile.Statement, version string) {
	day := func(d ledger.Date) string { return d.In(time.UTC).Format(time.DateOnly) }
	fmt.Fprintf(out, `<?xml version="1.0" encoding="UTF-8"?>`+"\n"+`<Document xmlns="urn:iso:std:iso:20022:tech:xsd:%s"><BkToCstmrStmt>`+"\n", version)
	fmt.Fprintf(out, "<GrpHdr><MsgId>S%s</MsgId><CreDtTm>%sT06:00:00</CreDtTm></GrpHdr>\n<Stmt><Id>%s</Id>\n", day(s.To), day(s.To), day(s.To))
	fmt.Fprintf(out, "<CreDtTm>%sT06:00:00</CreDtTm><FrToDt><FrDtTm>%sT00:00:00</FrDtTm><ToDtTm>%sT23:59:59</ToDtTm></FrToDt>\n", day(s.To), day(s.From), day(s.To))
	fmt.Fprintf(out, "<Acct><Id><Othr><Id>%s</Id></Othr></Id><Ccy>%s</Ccy></Acct>\n", xmlText(s.Account.ID), s.Currency)
	camtBalance(out, "OPBD", *s.Opening, day(s.From), s.Currency)
	camtBalance(out, "CLBD", *s.Closing, day(s.To), s.Currency)
	for _, line := range s.Lines {
		status := "BOOK"
		if line.Pending {
			status = "PDNG"
		}
		date := "<Dt>" + day(line.BookedOn) + "</Dt>"
		switch version {
		case Camt08:
			status = "<Cd>" + status + "</Cd>"
		case Camt04:
			date = "<DtTm>" + day(line.BookedOn) + "T00:00:00-05:00</DtTm>"
		}
		credit, size := direction(line.Amount)
		fmt.Fprintf(out, `<Ntry><Amt Ccy="%s">%s</Amt><CdtDbtInd>%s</CdtDbtInd><Sts>%s</Sts><BookgDt>%s</BookgDt>`, s.Currency, decimal(size, s.Currency), credit, status, date)
		if line.BankID != "" {
			fmt.Fprintf(out, "<AcctSvcrRef>%s</AcctSvcrRef>", xmlText(line.BankID))
		}
		fmt.Fprint(out, "<BkTxCd><Prtry><Cd>NTRF</Cd></Prtry></BkTxCd><NtryDtls><TxDtls><Refs>")
		tag := "EndToEndId"
		if line.Amount < 0 {
			tag = "ChqNb"
		}
		if line.Reference != "" {
			fmt.Fprintf(out, "<%s>%s</%s>", tag, xmlText(line.Reference), tag)
		}
		fmt.Fprintf(out, "</Refs></TxDtls></NtryDtls><AddtlNtryInf>%s</AddtlNtryInf></Ntry>\n", xmlText(line.Text))
	}
	fmt.Fprint(out, "</Stmt></BkToCstmrStmt></Document>\n")
}

func camtBalance(out io.Writer, code string, minor int64, day string, currency money.Currency) {
	credit, size := direction(minor)
	fmt.Fprintf(out, `<Bal><Tp><CdOrPrtry><Cd>%s</Cd></CdOrPrtry></Tp><Amt Ccy="%s">%s</Amt><CdtDbtInd>%s</CdtDbtInd><Dt><Dt>%s</Dt></Dt></Bal>`+"\n",
		code, currency, decimal(size, currency), credit, day)
}
