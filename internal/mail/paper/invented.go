package paper

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"konbit/internal/platform/money"
	"konbit/internal/view"
)

// The invented donor of models (package difference), and the values of a model that differ between emails.
const (
	InventedName      = "Maria Lopez"
	inventedFirstName = "Maria"
	inventedAmount    = 2500
)

// InventedDay is the day of all that models are about.
var InventedDay = time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC)

var digit = regexp.MustCompile(`\d`)

// InventedReceipt returns the facts of a receipt of the same organisation, in the same words, for an invented donor; key
// is the same for equal facts.
func InventedReceipt(words view.ReceiptWords) (w view.ReceiptWords, key string) {
	amount := money.New(inventedAmount, words.Amount.Currency)
	w = view.ReceiptWords{
		Version: words.Version, Language: words.Language, Number: digit.ReplaceAllString(words.Number, "0"),
		Donee: words.Donee, Organisation: words.Organisation, Sponsored: words.Sponsored, Accent: words.Accent,
		Donor: InventedName, Greeting: inventedFirstName, Amount: amount, Charged: InventedDay,
		Purposes: []view.Purpose{{Fund: words.Organisation, Amount: amount}},
	}
	key = fmt.Sprint(w)
	if in := words.Instalment; in != nil {
		page, _, _ := strings.Cut(in.ManageURL, "#") // the token is behind it
		w.Instalment = &view.Instalment{N: 1, Every: in.Every, Each: amount, Sum: amount, ManageURL: page + "#", ManageCode: "AAAAA-AAAAA"}
		key += fmt.Sprint(*w.Instalment)
	}
	return w, key
}

// InventedStatement returns the facts of a statement in the same words, with one gift of an invented donor.
func InventedStatement(words view.StatementWords) view.StatementWords {
	amount := money.New(inventedAmount, words.Total.Currency)
	return view.StatementWords{
		Version: words.Version, Language: words.Language, Year: InventedDay.Year(), Donee: words.Donee, Donor: InventedName, Greeting: inventedFirstName,
		Given: amount, Total: amount, Issued: InventedDay,
		Gifts: []view.StatementGift{{
			Charged: InventedDay, Receipt: "0000-000000", Organisation: words.Donee.Name, Amount: amount,
			Funds: []view.Purpose{{Fund: words.Donee.Name, Amount: amount}},
		}},
	}
}
