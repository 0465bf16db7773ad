package bankfile_test

import (
	"bytes"
	"fmt"
	"os"
	"testing"
	"time"

	"konbit/internal/office/bankfile"
	"konbit/internal/workshop/bankfake"
)

func TestMeasure(t *testing.T) {
	if os.Getenv("MEASURE") == "" {
		t.Skip()
	}
	for _, format := range bankfake.Formats() {
		var b bytes.Buffer
		n := 1000
		for pass := 0; pass < 4; pass++ {
			opening := int64(0)
			s := bankfile.Statement{Account: bankfile.Account{ID: "12345678"}, Currency: "USD", From: day(0), To: day(364), Opening: &opening}
			for i := range n {
				s.Lines = append(s.Lines, bankfile.Line{BookedOn: day(i * 365 / n), Amount: int64(i%9973 + 1), Text: fmt.Sprintf("ORIG CO NAME:STRIPE ORIG ID:1800948598 DESC DATE:%d", i), Reference: fmt.Sprint(i), BankID: fmt.Sprint("F", i)})
			}
			b.Reset()
			if err := bankfake.Write(&b, format, s); err != nil {
				t.Fatal(err)
			}
			if b.Len() < 10<<20-700000 || b.Len() > 10<<20 {
				n = min(240000, int(float64(n)*float64(10<<20-400000)/float64(b.Len())))
			}
		}
		begin := time.Now()
		f, err := bankfile.Read(bytes.NewReader(b.Bytes()), "x", bankfile.Options{})
		took := time.Since(begin)
		t.Log(format, b.Len(), n, took, err, len(f.Statements), len(f.Findings))
	}
}
