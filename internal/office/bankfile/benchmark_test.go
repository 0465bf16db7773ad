package bankfile_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"konbit/internal/office/bankfile"
	"konbit/internal/workshop/bankfake"
)

// BenchmarkRead reads a file of nearly 10 MB in each format.
func BenchmarkRead(b *testing.B) {
	for _, format := range bankfake.Formats() {
		b.Run(format, func(b *testing.B) {
			file, lines := largeFile(b, format)
			b.SetBytes(int64(len(file)))
			b.ReportMetric(float64(lines), "lines")
			for b.Loop() {
				f, err := bankfile.Read(bytes.NewReader(file), "x", bankfile.Options{})
				require.NoError(b, err)
				require.Empty(b, f.Findings)
			}
		})
	}
}

// largeFile returns a file of a year, as large as may be read, and the number of its lines.
func largeFile(b *testing.B, format string) (file []byte, lines int) {
	b.Helper()
	const most = 10 << 20
	lines = 1000
	for {
		var out bytes.Buffer
		opening := int64(0)
		s := bankfile.Statement{Account: bankfile.Account{ID: "12345678"}, Currency: "USD", From: day(0), To: day(364), Opening: &opening}
		for i := range lines {
			s.Lines = append(s.Lines, bankfile.Line{BookedOn: day(i * 365 / lines), Amount: int64(i%9973 + 1), Reference: fmt.Sprint(i),
				Text: fmt.Sprintf("ORIG CO NAME:STRIPE ORIG ID:1800948598 DESC DATE:%d", i), BankID: fmt.Sprint("F", i)})
		}
		require.NoError(b, bankfake.Write(&out, format, s))
		if out.Len() > most*8/10 && out.Len() <= most {
			return out.Bytes(), lines
		}
		lines = most / (out.Len()/lines + 1) * 19 / 20
	}
}
