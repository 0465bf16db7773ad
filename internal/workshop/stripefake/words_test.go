package stripefake

import (
	"fmt"
	"reflect"
	"strconv"
	"testing"
	"time"
)

func TestEveryLanguageIsComplete(t *testing.T) {
	for lang, w := range pageTextFor {
		v := reflect.ValueOf(w)
		for i := range v.NumField() {
			if v.Field(i).String() == "" {
				t.Errorf("language %s lacks %s", lang, v.Type().Field(i).Name)
			}
		}
	}
	for locale, want := range map[string]string{"": "en", "auto": "en", "es": "es", "es-419": "es", "pt-BR": "pt", "fr": "en"} {
		t.Run("locale "+locale, func(t *testing.T) {
			if got := language(locale); got != want {
				t.Errorf("%q is shown in %s, want %s", locale, got, want)
			}
		})
	}
}

func TestAmountText(t *testing.T) {
	for _, c := range []struct {
		minor          int64
		currency, lang string
		want           string
	}{
		{5, "usd", "en", "$0.05"},
		{2089, "usd", "es", "20,89\u00a0USD"},
		{123456789, "usd", "en", "$1,234,567.89"},
		{123456, "brl", "pt", "1.234,56\u00a0BRL"},
		{1500, "jpy", "en", "1,500\u00a0JPY"},
		{1500, "kwd", "en", "1.500\u00a0KWD"},
		{-2089, "usd", "en", "−$20.89"},
	} {
		t.Run(c.want, func(t *testing.T) {
			if got := amountText(c.minor, c.currency, c.lang); got != c.want {
				t.Errorf("%d %s in %s: %q, want %q", c.minor, c.currency, c.lang, got, c.want)
			}
		})
	}
}

func TestReadCard(t *testing.T) {
	now := time.Date(2030, 6, 30, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		card  Card
		field string // of the error; "-" for none
	}{
		{Card{"4242 4242 4242 4242", "06/30", "123", "A"}, "-"},
		{Card{"4242-4242-4242-4242", "07 / 2031", "123", "A"}, "-"},
		{Card{"378282246310005", "1230", "1234", "A"}, "-"},
		{Card{"378282246310005", "1230", "123", "A"}, "cvc"},
		{Card{"4000000000000341", "1230", "123", "A"}, "-"},
		{Card{"4242424242424243", "1230", "123", "A"}, "card_number"},
		{Card{"", "1230", "123", "A"}, "card_number"},
		{Card{"4242424242424242", "05/30", "123", "A"}, "exp"},
		{Card{"4242424242424242", "13/30", "123", "A"}, "exp"},
		{Card{"4242424242424242", "", "123", "A"}, "exp"},
		{Card{"4242424242424242", "1230", "12", "A"}, "cvc"},
		{Card{"4242424242424242", "1230", "+12", "A"}, "cvc"},
	} {
		t.Run(fmt.Sprint(c.card), func(t *testing.T) {
			_, bad := readCard(c.card, now)
			switch {
			case bad == nil && c.field != "-":
				t.Errorf("%+v was accepted", c.card)
			case bad != nil && bad.param != c.field:
				t.Errorf("%+v: %q has the error, want %q", c.card, bad.param, c.field)
			}
		})
	}
}

func TestFees(t *testing.T) {
	for amount, want := range map[int64]int64{2089: 91, 50: 31, 100_00: 320, 517: 45, 1: 30} {
		t.Run(strconv.FormatInt(amount, 10), func(t *testing.T) {
			if got := (Fee{BasisPoints: 290, Fixed: 30}).of(amount); got != want {
				t.Errorf("of %d: %d, want %d", amount, got, want)
			}
		})
	}
	if debitFee(10_00) != 8 || debitFee(1_000_000) != 500 {
		t.Error("wrong fee of a bank debit, want 0.8 %, at most 5.00")
	}
}
