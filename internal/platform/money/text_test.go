package money_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"konbit/internal/platform/money"
)

// TestFormat lists expected texts; "~" stands for a no-break space.
func TestFormat(t *testing.T) {
	for _, test := range []struct {
		amount           money.Amount
		en, es, pt, ht   string
		exactEn, exactPt string
	}{
		{money.New(2000, "USD"), "$20", "$20", "US$~20", "$20", "$20.00", "US$~20,00"},
		{money.New(2050, "USD"), "$20.50", "$20.50", "US$~20,50", "$20.50", "$20.50", "US$~20,50"},
		{money.New(125000, "USD"), "$1,250", "$1,250", "US$~1.250", "$1,250", "$1,250.00", "US$~1.250,00"},
		{money.New(123456789, "USD"), "$1,234,567.89", "$1,234,567.89", "US$~1.234.567,89", "$1,234,567.89", "$1,234,567.89", "US$~1.234.567,89"},
		{money.New(5, "USD"), "$0.05", "$0.05", "US$~0,05", "$0.05", "$0.05", "US$~0,05"},
		{money.New(0, "USD"), "$0", "$0", "US$~0", "$0", "$0.00", "US$~0,00"},
		{money.New(-2050, "USD"), "−$20.50", "−$20.50", "−US$~20,50", "−$20.50", "−$20.50", "−US$~20,50"},
		{money.New(2000, "BRL"), "R$20", "R$20", "R$~20", "R$20", "R$20.00", "R$~20,00"},
		{money.New(2000, "EUR"), "€20", "€20", "€~20", "€20", "€20.00", "€~20,00"},
		{money.New(1500, "JPY"), "JPY~1,500", "JPY~1,500", "JPY~1.500", "JPY~1,500", "JPY~1,500", "JPY~1.500"},
		{money.New(1500, "KWD"), "KWD~1.500", "KWD~1.500", "KWD~1,500", "KWD~1.500", "KWD~1.500", "KWD~1,500"},
		{money.New(math.MinInt64, "USD"), "−$92,233,720,368,547,758.08", "−$92,233,720,368,547,758.08", "−US$~92.233.720.368.547.758,08",
			"−$92,233,720,368,547,758.08", "−$92,233,720,368,547,758.08", "−US$~92.233.720.368.547.758,08"},
	} {
		t.Run(test.en, func(t *testing.T) {
			for lang, want := range map[string]string{"en": test.en, "es": test.es, "pt": test.pt, "ht": test.ht, "": test.en} {
				assert.Equal(t, strings.ReplaceAll(want, "~", "\u00a0"), test.amount.Format(lang), "%s in %q", test.amount, lang)
			}
			assert.Equal(t, strings.ReplaceAll(test.exactEn, "~", "\u00a0"), test.amount.FormatExact("en"))
			assert.Equal(t, strings.ReplaceAll(test.exactPt, "~", "\u00a0"), test.amount.FormatExact("pt"))
		})
	}
}

func TestParse(t *testing.T) {
	const bad, large = "not an amount", "out of range"
	for _, test := range []struct {
		text     string
		currency money.Currency
		want     any // minor units, or the expected error
	}{
		{"20", "USD", 2000}, {"20.5", "USD", 2050}, {"20,5", "USD", 2050}, {"20.50", "USD", 2050}, {"20,50", "USD", 2050},
		{" $ 20 ", "USD", 2000}, {"20$", "USD", 2000}, {"20,50 $", "USD", 2050}, {"20\u00a0$", "USD", 2000}, {"US$20", "USD", 2000}, {"US$ 1.250,00", "USD", 125000}, {"$1,250.00", "USD", 125000},
		{"1,250", "USD", 125000}, {"1.250", "USD", bad}, {"20.999", "USD", bad}, {"1.250", "JPY", 1250}, {"1.250.000", "USD", 125000000}, {"1,250,000.99", "USD", 125000099},
		{"1 250,00", "USD", 125000}, {"1\u00a0250.00", "USD", 125000}, {"1\u202f250", "USD", 125000}, {"1'250.00", "USD", 125000},
		{"20 USD", "USD", 2000}, {"$20.00 USD", "USD", 2000}, {"USD 20", "USD", 2000}, {"usd20", "USD", 2000}, {"USD $20", "USD", 2000}, {"20 US$", "USD", 2000}, {"20.", "USD", 2000},
		{"20,", "USD", 2000}, {"1,250.", "USD", 125000}, {"\u202a20\u202c", "USD", 2000}, {"٢٠", "USD", 2000}, {"２０", "USD", 2000}, {"R$ 20,50", "BRL", 2050}, {"20 €", "EUR", 2000},
		{"20 dollars", "USD", 2000}, {"20 Dollar", "USD", 2000}, {"20 dólares", "USD", 2000}, {"20 dolares", "USD", 2000}, {"1 dólar", "USD", 100},
		{"20 dola", "USD", 2000}, {"20dola", "USD", 2000}, {"$20 dollars", "USD", 2000}, {"20.50 US dollars", "USD", bad}, {".5", "USD", 50}, {".50", "USD", 50}, {",5", "USD", 50},
		{"0.05", "USD", 5}, {"0", "USD", 0}, {"007", "USD", 700}, {"92233720368547758.07", "USD", math.MaxInt64},
		{"1500", "JPY", 1500}, {"1,500", "JPY", 1500}, {"1.500", "KWD", 1500}, {"1,250.125", "KWD", 1250125}, {"2.5", "KWD", 2500},

		{"", "USD", bad}, {" ", "USD", bad}, {"$", "USD", bad}, {".", "USD", bad}, {".,", "USD", bad}, {".505", "USD", bad},
		{"NaN", "USD", bad}, {"Inf", "USD", bad}, {"1e9", "USD", bad}, {"0x10", "USD", bad}, {"1_000", "USD", bad}, {"2٠٫5", "USD", bad}, {"EUR 20", "USD", bad}, {"R$20", "USD", bad}, {"CA$20", "USD", bad}, {"20 USD USD", "USD", bad}, {"20.,", "USD", bad},
		{"-5", "USD", bad}, {"+5", "USD", bad}, {"−5", "USD", bad}, {"20 dollars dollars", "USD", bad}, {"dollars", "USD", bad}, {"20 dollars", "EUR", bad}, {"20 dolls", "USD", bad}, {"$20$", "USD", bad}, {"$$20", "USD", bad},
		{"20.5555", "USD", bad}, {"0.125", "USD", bad}, {"012.500", "USD", bad}, {"1,25,000", "USD", bad}, {"12,50.00", "USD", bad},
		{"1.2.3", "USD", bad}, {"1,,000", "USD", bad}, {"1,250,00", "USD", bad}, {"1.250,000.00", "USD", bad}, {"10 20", "USD", bad},
		{"2 0", "USD", bad}, {"2'0", "USD", bad}, {"1 250'000", "USD", bad}, {"20.5", "JPY", bad}, {"1.2500", "KWD", bad}, {"20\n", "USD", 2000}, {"2\n0", "USD", bad},
		{"92233720368547758.08", "USD", large}, {"99999999999999999999999", "USD", large}, {strings.Repeat("9", 10_000), "USD", large},
	} {
		t.Run(fmt.Sprintf("%.30q %s", test.text, test.currency), func(t *testing.T) {
			got, err := money.Parse(test.text, test.currency, "en")
			switch want := test.want.(type) {
			case int:
				if assert.NoError(t, err, "%q", test.text) {
					assert.Equal(t, money.New(int64(want), test.currency), got, "%q", test.text)
				}
			case string:
				assert.ErrorIs(t, err, map[string]error{bad: money.ErrText, large: money.ErrOverflow}[want], "%q is %v", test.text, got)
				assert.Zero(t, got, "%q", test.text)
			}
		})
	}
}

// TestAmbiguous requires the two readings of a number with one separator and three digits after it, in the language that
// does not write groups so.
func TestAmbiguous(t *testing.T) {
	for _, test := range []struct {
		lang, text   string
		large, small int64 // minor units; 0: it is not ambiguous
		clear        int64 // minor units
	}{
		{"en", "1.250", 125000, 125, 0}, {"es", "$1.250", 125000, 125, 0}, {"ht", "20.999", 2099900, 2099, 0}, {"pt", "1,250", 125000, 125, 0},
		{"en", "1,250", 0, 0, 125000}, {"pt", "1.250", 0, 0, 125000}, {"pt", "US$ 20.999", 0, 0, 2099900},
	} {
		t.Run(test.lang+" "+test.text, func(t *testing.T) {
			got, err := money.Parse(test.text, "USD", test.lang)
			if test.clear != 0 {
				require.NoError(t, err)
				require.Equal(t, money.New(test.clear, "USD"), got)
				return
			}
			var two *money.AmbiguousError
			require.ErrorAs(t, err, &two)
			require.ErrorIs(t, err, money.ErrText)
			require.Equal(t, []int64{test.large, test.small}, []int64{two.Large.Minor, two.Small.Minor})
			for _, reading := range []money.Amount{two.Large, two.Small} { // as the page shows it, so that it can be typed
				again, err := money.Parse(reading.Format(test.lang), "USD", test.lang)
				require.NoError(t, err)
				require.Equal(t, reading, again)
			}
		})
	}
}

// TestOtherCurrency: an amount in another currency has an error of its own, so that the page can say what is wrong.
func TestOtherCurrency(t *testing.T) {
	for _, text := range []string{"€20", "20 €", "20 goud", "R$ 35", "R$35,50", "20 reais", "EUR 20", "20 euros", "RD$ 500", "CA$20", "100 pesos", "£20", "20 R$", "20 CA$", "500 RD$"} {
		_, err := money.Parse(text, "USD", "en")
		require.ErrorIs(t, err, money.ErrOtherCurrency, "%q", text)
		require.ErrorIs(t, err, money.ErrText, "%q", text)
	}
	for _, text := range []string{"twenty", "20 dollars x", "euro mail", "20 bad"} {
		_, err := money.Parse(text, "USD", "en")
		require.NotErrorIs(t, err, money.ErrOtherCurrency, "%q", text)
	}
}

func TestDecimalRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		currency := money.Currency(rapid.SampledFrom([]string{"USD", "JPY", "KWD", "EUR"}).Draw(t, "currency"))
		amount := money.New(rapid.Int64Min(0).Draw(t, "minor"), currency)
		for _, text := range []string{amount.Decimal(), amount.FormatExact("en")} {
			text = strings.TrimLeft(strings.ReplaceAll(text, string(currency), ""), "$€\u00a0")
			got, err := money.Parse(text, currency, "en")
			require.NoError(t, err, text)
			require.Equal(t, amount, got, text)
		}
	})
	assert.Equal(t, "-0.05", money.New(-5, "USD").Decimal())
	assert.Equal(t, "500", money.New(500, "JPY").Decimal())
	assert.Equal(t, "-92233720368547758.08", money.New(math.MinInt64, "USD").Decimal())
	assert.Equal(t, "20.00 USD", money.New(2000, "USD").String())
}

// FuzzParse: for any text, Parse returns an amount of zero or more, or one of two errors.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"20", "1.250,00", "$ 1 250", "NaN", "1e9", "٢٠", "-1", "0.125"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := money.Parse(text, "USD", "en")
		if err == nil && got.Minor >= 0 && got.Currency == "USD" {
			return
		}
		require.Zero(t, got)
		require.True(t, errors.Is(err, money.ErrText) || errors.Is(err, money.ErrOverflow), "%v", err)
	})
}
