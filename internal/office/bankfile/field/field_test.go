package field_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"konbit/internal/office/bankfile/field"
	"konbit/internal/platform/money"
)

func TestAmount(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text     string
		sign     byte
		currency money.Currency
		minor    int64
		err      error
	}{
		{"25", 0, "USD", 2500, nil}, {"25.5", 0, "USD", 2550, nil}, {"-25,50", 0, "EUR", -2550, nil}, {"1,234.56", 0, "USD", 123456, nil},
		{"1.234,56", 0, "EUR", 123456, nil}, {"1 234,56", 0, "EUR", 123456, nil}, {"1\u00a0234,56", 0, "EUR", 123456, nil}, {"1'234.56", 0, "CHF", 123456, nil},
		{"1,234,567", 0, "USD", 123456700, nil}, {"$1,234.56", '.', "USD", 123456, nil}, {"-$5.00", '.', "USD", -500, nil}, {"$-5.00", '.', "USD", -500, nil},
		{"($40.50)", '.', "USD", -4050, nil}, {"25.00-", '.', "USD", -2500, nil}, {"+25.00", '.', "USD", 2500, nil}, {"5.00 DR", '.', "USD", -500, nil},
		{"5.00CR", '.', "USD", 500, nil}, {"−5.00", '.', "USD", -500, nil}, {"USD 5.00", '.', "USD", 500, nil}, {"5,00 €", ',', "EUR", 500, nil}, {".50", '.', "USD", 50, nil},
		{"5.", '.', "USD", 500, nil}, {"12.34500", 0, "USD", 0, field.ErrPlaces}, {"12.34000", 0, "USD", 1234, nil}, {"0.123", 0, "USD", 0, field.ErrPlaces},
		{"1,250", 0, "USD", 0, field.ErrAmbiguous}, {"1,250", '.', "USD", 125000, nil}, {"1,250", ',', "USD", 125, nil}, {"1.250", '.', "USD", 125, nil},
		{"100", 0, "JPY", 100, nil}, {"1,250", '.', "JPY", 1250, nil}, {"100.5", 0, "JPY", 0, field.ErrPlaces}, {"1.234", 0, "KWD", 1234, nil},
		{"12,34.5", '.', "USD", 0, field.ErrAmount}, {"1.2.3", 0, "USD", 0, field.ErrAmount}, {"", 0, "USD", 0, field.ErrAmount}, {"-", 0, "USD", 0, field.ErrAmount},
		{"abc", 0, "USD", 0, field.ErrAmount}, {"5 EUR", 0, "USD", 0, field.ErrAmount}, {"--5", 0, "USD", 0, field.ErrAmount}, {"(5", 0, "USD", 0, field.ErrAmount},
		{"1e5", 0, "USD", 0, field.ErrAmount}, {"99999999999999999999.00", 0, "USD", 0, field.ErrRange}, {"£5", 0, "GBP", 500, nil},
	} {
		minor, err := field.Amount(test.text, test.sign, test.currency)
		require.ErrorIs(t, err, test.err, "%q", test.text)
		require.Equal(t, test.minor, minor, "%q", test.text)
	}
}

func TestDecimalSign(t *testing.T) {
	t.Parallel()
	require.Equal(t, byte('.'), field.DecimalSign([]string{"1,250", "2.50"}))
	require.Equal(t, byte(','), field.DecimalSign([]string{"1.250", "2,50"}))
	require.Equal(t, byte('.'), field.DecimalSign([]string{"1,250,000"}))
	require.Equal(t, byte(','), field.DecimalSign([]string{"1.250.000"}))
	require.Zero(t, field.DecimalSign([]string{"1,250", "30"}))
	require.Zero(t, field.DecimalSign([]string{"1,25", "30.50"}), "a file that contradicts itself")
}

// TestAmountsAreExact: what money writes is read back to the last minor unit.
func TestAmountsAreExact(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		currency := money.Currency(rapid.SampledFrom([]string{"USD", "JPY", "KWD"}).Draw(t, "currency"))
		minor := rapid.Int64Range(-10_000_000_000_000, 10_000_000_000_000).Draw(t, "minor")
		read, err := field.Amount(money.New(minor, currency).Decimal(), '.', currency)
		require.NoError(t, err)
		require.Equal(t, minor, read)
	})
}

func TestDate(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text  string
		order field.Order
		day   string
		err   error
	}{
		{"2026-01-31", "", "2026-01-31", nil}, {"2026-01-31T23:59:59-05:00", "", "2026-01-31", nil}, {"2026/1/5", "mdy", "2026-01-05", nil}, {"20260131", "dmy", "2026-01-31", nil},
		{"01/31/2026", "", "2026-01-31", nil}, {"31.01.2026", "", "2026-01-31", nil}, {"31.1.26", "", "2026-01-31", nil}, {"01/02/2026", "", "", field.ErrOrder},
		{"01/02/2026", "mdy", "2026-01-02", nil}, {"01/02/2026", "dmy", "2026-02-01", nil}, {"26-01-02", "ymd", "2026-01-02", nil}, {"31/01/2026", "mdy", "", field.ErrOrder},
		{"03/03/2026", "", "2026-03-03", nil}, {"Jan 5, 2026", "", "2026-01-05", nil}, {"5 ene. 2026", "", "2026-01-05", nil}, {"5 de enero de 2026", "", "2026-01-05", nil},
		{"31-Jan-26", "", "2026-01-31", nil}, {"Sat 31 January 2026", "", "2026-01-31", nil}, {"01/31/2026 10:15 AM", "", "2026-01-31", nil}, {"29.02.2026", "dmy", "", field.ErrOrder},
		{"2026-02-29", "", "", field.ErrDate}, {"", "", "", field.ErrDate}, {"yesterday", "", "", field.ErrDate}, {"12.50", "", "", field.ErrDate}, {"1234567890", "", "", field.ErrDate},
		{"01/02/2026 PAYMENT", "mdy", "", field.ErrDate}, {"01/02/2026;x", "mdy", "", field.ErrDate}, {"1-2-3", "", "", field.ErrDate}, {"192.168.1.1", "", "", field.ErrDate},
	} {
		d, err := field.Date(test.text, test.order)
		require.ErrorIs(t, err, test.err, "%q", test.text)
		if test.err == nil {
			require.Equal(t, test.day, d.String(), "%q", test.text)
		}
	}
}

func TestOrdersOf(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]field.Orders{
		"01/02/2026": field.CanMonthFirst | field.CanDayFirst, "13/02/2026": field.CanDayFirst, "02/13/2026": field.CanMonthFirst, "2026-01-02": field.AnyOrder, "Jan 2, 2026": field.AnyOrder,
	} {
		orders, ok := field.OrdersOf(text)
		require.True(t, ok, text)
		require.Equal(t, want, orders&^field.CanYearFirst|want&field.CanYearFirst, text)
	}
	_, ok := field.OrdersOf("12.50")
	require.False(t, ok)
}

func TestDecode(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, raw, text, charset string }{
		{"ascii", "a\r\nb\rc", "a\nb\nc", "utf-8"}, {"utf-8", "José", "José", "utf-8"}, {"byte order mark", "\xef\xbb\xbfJosé", "José", "utf-8"},
		{"windows-1252", "Jos\xe9 \x80", "José €", "windows-1252"}, {"declared", "CHARSET:1251\nJos\xe9", "CHARSET:1251\nJosй", "windows-1251"},
		{"declared in xml", "<?xml encoding='ISO-8859-15'?>\xa4", "<?xml encoding='ISO-8859-15'?>€", "iso-8859-15"},
		{"utf-16", "\xff\xfeJ\x00o\x00s\x00\xe9\x00", "José", "utf-16"}, {"utf-16 big", "\xfe\xff\x00J\x00o\x00s\x00\xe9", "José", "utf-16"},
		{"utf-16 without mark", "J\x00o\x00s\x00\xe9\x00", "José", "utf-16"}, {"damaged", "José Ñandú \xff", "José Ñandú \ufffd", "utf-8"}, {"nul", "a\x00b", "ab", "utf-8"},
	} {
		text, charset := field.Decode([]byte(test.raw))
		require.Equal(t, test.text, text, test.name)
		require.Equal(t, test.charset, charset, test.name)
	}
}

// FuzzField: no text makes a reader of values panic, and what is no value is one of the errors.
func FuzzField(f *testing.F) {
	for _, text := range []string{"1,234.56", "($5)", "01/02/2026", "Jan 5, 2026", "20260131120000[-5:EST]", "−5 DR", "’’", "é\x00", "\xff\xfea\x00"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		field.Decode([]byte(text))
		field.LooksLikeAmount(text)
		field.DecimalSign([]string{text, text})
		for _, sign := range []byte{0, '.', ','} {
			_, err := field.Amount(text, sign, "USD")
			if err != nil && !errors.Is(err, field.ErrAmount) && !errors.Is(err, field.ErrPlaces) && !errors.Is(err, field.ErrAmbiguous) && !errors.Is(err, field.ErrRange) {
				t.Fatal(err)
			}
		}
		orders, ok := field.OrdersOf(text)
		if ok != (orders != 0) {
			t.Fatalf("orders %d, %t", orders, ok)
		}
		for _, order := range []field.Order{"", field.MonthFirst, field.DayFirst, field.YearFirst} {
			if d, err := field.Date(text, order); err == nil && !field.Valid(d) {
				t.Fatalf("%v", d)
			}
		}
	})
}
