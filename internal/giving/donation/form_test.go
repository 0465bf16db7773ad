package donation_test

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"konbit/internal/books/fund"
	"konbit/internal/books/org"
	"konbit/internal/giving/contact"
	"konbit/internal/giving/dedication"
	"konbit/internal/giving/donation"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
	"konbit/internal/platform/phrase"
	"konbit/internal/view"
	"konbit/templates"
)

var funds = []fund.Fund{
	{ID: uuid.New(), Slug: "general", Name: phrase.Text{"en": "General"}},
	{ID: uuid.New(), Slug: "network", Name: phrase.Text{"en": "Network"}},
	{ID: uuid.New(), Slug: "building", Name: phrase.Text{"en": "Building"}},
}

// offer takes $10, $20 and $30 or anything from $5 to $25,000.
func offer() donation.Offer {
	return donation.Offer{
		Entity: org.LegalEntity{ID: uuid.New(), Slug: "tsne", Currency: "USD"},
		Organisation: org.Organisation{
			ID: uuid.New(), Slug: "csio", Presets: []int64{1000, 2000, 3000}, Minimum: 500, Maximum: 2_500_000,
			Frequencies: []org.Frequency{org.Once, org.Monthly},
		},
		Funds: funds,
	}
}

func good() donation.Form {
	return donation.Form{
		FormID: uuid.New(), Language: "en", Amount: "20", Frequency: "once", Fund: "general",
		Contact: donation.Contact{Contact: contact.Contact{FirstName: "Ana", LastName: "Pérez", Email: "ana@example.org"}},
	}
}

// typed returns a good form in which one field of the contact has a text.
func typed(field, text string) donation.Form {
	f := good()
	others := map[string]string{"first_name": f.Contact.FirstName, "last_name": f.Contact.LastName, "email": f.Contact.Email}
	f.Contact.Contact = contact.FromForm(func(name string) string {
		if name == field {
			return text
		}
		return others[name]
	})
	return f
}

// refusalsOf lists what Check says of a form, as "field phrase".
func refusalsOf(t testing.TB, f donation.Form) []string {
	t.Helper()
	_, err := f.Check(offer())
	if err == nil {
		return nil
	}
	var bad *fault.Error
	require.ErrorAs(t, err, &bad)
	require.Equal(t, fault.Invalid, bad.Kind)
	var refusals []string
	for _, field := range bad.Fields {
		refusals = append(refusals, field.Name+" "+field.Phrase)
	}
	return refusals
}

func split(pairs ...string) func(*donation.Form) {
	return func(f *donation.Form) {
		f.Split = map[string]string{}
		for i := 0; i < len(pairs); i += 2 {
			f.Split[pairs[i]] = pairs[i+1]
		}
	}
}

// rules has a row for each way a form can be bad, and the errors that Check reports.
var rules = []struct {
	name  string
	spoil func(*donation.Form)
	want  []string
}{
	{"no amount", func(f *donation.Form) { f.Amount = "" }, []string{"amount give.error.amount.required"}},
	{"other, but none written", func(f *donation.Form) { f.Amount = "other" }, []string{"amount_other give.error.amount.required"}},
	{"blank other", func(f *donation.Form) { f.Amount, f.AmountOther = "other", "  " }, []string{"amount_other give.error.amount.required"}},
	{"no number", func(f *donation.Form) { f.Amount, f.AmountOther = "other", "NaN" }, []string{"amount_other give.error.amount.format"}},
	{"an exponent", func(f *donation.Form) { f.Amount, f.AmountOther = "other", "1e9" }, []string{"amount_other give.error.amount.format"}},
	{"negative", func(f *donation.Form) { f.Amount = "-20" }, []string{"amount give.error.amount.format"}},
	{"too many places", func(f *donation.Form) { f.Amount, f.AmountOther = "other", "20.001x" }, []string{"amount_other give.error.amount.format"}},
	{"below the minimum", func(f *donation.Form) { f.Amount, f.AmountOther = "other", "4.99" }, []string{"amount_other give.error.amount.minimum"}},
	{"nothing", func(f *donation.Form) { f.Amount, f.AmountOther = "other", "0" }, []string{"amount_other give.error.amount.minimum"}},
	{"above the maximum", func(f *donation.Form) { f.Amount, f.AmountOther = "other", "25000.01" }, []string{"amount_other give.error.amount.maximum"}},
	{"more than a number holds", func(f *donation.Form) { f.Amount, f.AmountOther = "other", strings.Repeat("9", 30) }, []string{"amount_other give.error.amount.maximum"}},
	{"another currency", func(f *donation.Form) { f.Amount, f.AmountOther = "other", "€20" }, []string{"amount_other give.error.amount.currency"}},
	{"split below the minimum", func(f *donation.Form) { f.Amount = ""; split("general", "2", "network", "1")(f) }, []string{"split give.error.amount.minimum"}},
	{"split in rubbish without an amount", func(f *donation.Form) { f.Amount = ""; split("general", "x")(f) }, []string{"amount give.error.amount.required", "split[general] give.error.amount.format"}},
	{"no preset", func(f *donation.Form) { f.Amount = "25" }, []string{"amount give.error.amount.choice"}},
	{"two amounts", func(f *donation.Form) { f.AmountOther = "35" }, []string{"amount_other give.error.amount.two"}},
	{"a preset and rubbish", func(f *donation.Form) { f.AmountOther = "abc" }, []string{"amount_other give.error.amount.two"}},
	{"times, once", func(f *donation.Form) { f.Occurrences = "12" }, []string{"frequency give.error.frequency.times"}},
	{"times in words", func(f *donation.Form) { f.Frequency, f.Occurrences = "monthly", "twelve" }, []string{"occurrences give.error.occurrences.format"}},
	{"too many times", func(f *donation.Form) { f.Frequency, f.Occurrences = "monthly", "241" }, []string{"occurrences give.error.occurrences.maximum"}},
	{"unknown frequency", func(f *donation.Form) { f.Frequency = "hourly" }, []string{"frequency give.error.frequency.choice"}},
	{"unknown fund", func(f *donation.Form) { f.Fund = "operations" }, []string{"fund give.error.fund.choice"}},
	{"split over an unknown fund", split("general", "10", "land", "10"), []string{"split give.error.fund.choice"}},
	{"split does not sum", split("general", "10", "network", "9.99"), []string{"split give.error.split.sum"}},
	{"split over nothing", split("general", "", "network", "0"), []string{"split give.error.split.sum"}},
	{"split with a negative part", split("general", "30", "network", "-10"), []string{"split[network] give.error.amount.format"}},
	{"split too large", split("general", strings.Repeat("9", 30)), []string{"split[general] give.error.amount.format"}},
	{"no first name", func(f *donation.Form) { f.Contact.FirstName = " " }, []string{"first_name give.error.first_name.required"}},
	{"long first name", func(f *donation.Form) { f.Contact.FirstName = strings.Repeat("é", 101) }, []string{"first_name give.error.too_long"}},
	{"a line break in a name", func(f *donation.Form) { f.Contact.FirstName = "Ana\r\nBcc: x@example.org" }, []string{"first_name give.error.characters"}},
	{"a NUL in a name", func(f *donation.Form) { f.Contact.LastName = "P\x00" }, []string{"last_name give.error.characters"}},
	{"broken UTF-8 in a name", func(f *donation.Form) { f.Contact.LastName = "P\xff" }, []string{"last_name give.error.characters"}},
	{"no e-mail", func(f *donation.Form) { f.Contact.Email = "" }, []string{"email give.error.email.required"}},
	{"long line 1", func(f *donation.Form) { f.Contact.AddressLine1 = strings.Repeat("a", 201) }, []string{"address_line1 give.error.too_long"}},
	{"long city", func(f *donation.Form) { f.Contact.City = strings.Repeat("a", 101) }, []string{"city give.error.too_long"}},
	{"long region", func(f *donation.Form) { f.Contact.Region = strings.Repeat("a", 101) }, []string{"region give.error.too_long"}},
	{"long code", func(f *donation.Form) { f.Contact.PostalCode = strings.Repeat("1", 21) }, []string{"postal_code give.error.too_long"}},
	{"long country", func(f *donation.Form) { f.Contact.Country = strings.Repeat("a", 61) }, []string{"country give.error.too_long"}},
	{"long note", func(f *donation.Form) { f.Contact.Note = strings.Repeat("ñ", 1001) }, []string{"note give.error.too_long"}},
	{"control character in a note", func(f *donation.Form) { f.Contact.Note = "a\x07" }, []string{"note give.error.characters"}},
	{"broken UTF-8 in a note", func(f *donation.Form) { f.Contact.Note = "caf\xe9" }, []string{"note give.error.characters"}},
	{"letters in a phone number", func(f *donation.Form) { f.Contact.Phone = "call me maybe" }, []string{"phone give.error.phone.format"}},
	{"short phone number", func(f *donation.Form) { f.Contact.Phone = "12345" }, []string{"phone give.error.phone.format"}},
	{"long phone number", func(f *donation.Form) { f.Contact.Phone = strings.Repeat("1", 21) }, []string{"phone give.error.phone.format"}},
	{"everything at once", func(f *donation.Form) { *f = donation.Form{Fund: "x", Frequency: "x"} }, []string{
		"amount give.error.amount.required", "frequency give.error.frequency.choice", "fund give.error.fund.choice",
		"first_name give.error.first_name.required", "email give.error.email.required",
	}},
}

func TestCheckSaysWhatIsWrong(t *testing.T) {
	for _, rule := range rules {
		f := good()
		rule.spoil(&f)
		assert.Equal(t, rule.want, refusalsOf(t, f), rule.name)
	}
}

// TestEveryContactFieldHasARule requires that each field of a contact refuses texts that no field takes, so that a field
// without a rule in form_contact.go fails.
func TestEveryContactFieldHasARule(t *testing.T) {
	for _, field := range contact.FieldNames() {
		for name, text := range map[string]string{
			"too long": strings.Repeat("1", 1001), "NUL": "123\x00456", "no UTF-8": "123\xff456", "line break": "123\n456",
		} {
			got := refusalsOf(t, typed(field, text))
			require.Len(t, got, 1, "%s: %s", field, name)
			require.True(t, strings.HasPrefix(got[0], field+" give.error."), "%s: %s: %s", field, name, got[0])
		}
	}
}

// TestComplaintsHaveWords holds every phrase a form can be answered with, and its arguments, to the catalogue.
func TestRefusalsHaveWords(t *testing.T) {
	words, err := view.LoadWords(templates.FS)
	require.NoError(t, err)
	for _, rule := range append(rules, struct {
		name  string
		spoil func(*donation.Form)
		want  []string
	}{"bad e-mail", func(f *donation.Form) { f.Contact.Email = "ana" }, nil}) {
		f := good()
		rule.spoil(&f)
		_, err := f.Check(offer())
		var bad *fault.Error
		require.ErrorAs(t, err, &bad, rule.name)
		require.True(t, words.Has(bad.Phrase), bad.Phrase)
		for _, field := range bad.Fields {
			require.True(t, words.Has(field.Phrase), field.Phrase)
			var args []any
			for name, value := range field.Args {
				args = append(args, name, value)
			}
			for _, lang := range words.Languages() {
				text := words.T(lang, field.Phrase, args...)
				assert.NotContains(t, text, "{", "%s: %s in %s lacks an argument", rule.name, field.Phrase, lang)
				assert.NotEqual(t, field.Phrase, text)
			}
		}
	}
}

func TestEmails(t *testing.T) {
	for _, text := range []string{
		"ana@example.org", "Ana.Perez+gifts@mail.example.co.uk", "o'brien@example.org", " ana@example.org ", "a_b-c@x.example", "1@2.example",
	} {
		t.Run(text, func(t *testing.T) {
			f := good()
			f.Contact.Email = text
			r, err := f.Check(offer())
			require.NoError(t, err)
			assert.Equal(t, strings.TrimSpace(text), r.Contact.Email)
		})
	}
	for typed, stored := range map[string]string{
		"ana@dönor.example": "ana@xn--dnor-5qa.example", " Ana@DÖNOR.Example": "Ana@xn--dnor-5qa.example", "ana@例え。テスト": "ana@xn--r8jz45g.xn--zckzah",
	} {
		t.Run(typed, func(t *testing.T) {
			f := good()
			f.Contact.Email = typed
			r, err := f.Check(offer())
			require.NoError(t, err)
			assert.Equal(t, stored, r.Contact.Email, "what mail servers know the domain by")
		})
	}
	for _, text := range []string{
		"ana", "ana@", "@example.org", "ana@example", "ana@example.", "ana@.example", "ana@@example.org", "ana example@x.org", "ana@exa mple.org",
		"ana@example.org, eva@example.org", "Ana <ana@example.org>", `"a> ORCPT=x@y"@example.com`, `"ana"@example.org`, "ana@[127.0.0.1]", "ana@example.org\r\nRCPT TO:<x@y.z>",
		"ana@example.org\nBcc: x@y.z", "ana\x00@example.org", "añá@example.org", "añá@exämple.org", "ana@exämple", "ana@ex ämple.org", "ana@exämple.org\nBcc: x@y.z", "ana@-ä.example",
		"a@b@exämple.org", "ana@ä..org", `"a b"@exämple.org`, "ana@" + strings.Repeat("ä", 70) + ".org", "ana@example..org", "a(b)@example.org", "ana;x@example.org",
		strings.Repeat("a", 65) + "@example.org", "ana@" + strings.Repeat("a.", 130) + "org", "ana@example.org\x7f", "ana\xff@example.org", ".ana@example.org", "ana.@example.org",
	} {
		t.Run(fmt.Sprintf("%.40q", text), func(t *testing.T) {
			f := good()
			f.Contact.Email = text
			assert.Equal(t, []string{"email give.error.email.format"}, refusalsOf(t, f), "%q", text)
		})
	}
}

func TestGoodForms(t *testing.T) {
	for name, test := range map[string]struct {
		fill  func(*donation.Form)
		minor int64
		parts map[string]int64
	}{
		"a preset":                     {func(*donation.Form) {}, 2000, map[string]int64{"general": 2000}},
		"another amount":               {func(f *donation.Form) { f.Amount, f.AmountOther = "other", "35,50" }, 3550, map[string]int64{"general": 3550}},
		"another amount, not chosen":   {func(f *donation.Form) { f.Amount, f.AmountOther = "", "1,250.00" }, 125000, map[string]int64{"general": 125000}},
		"the preset written once more": {func(f *donation.Form) { f.AmountOther = "20.00" }, 2000, map[string]int64{"general": 2000}},
		"the minimum":                  {func(f *donation.Form) { f.Amount, f.AmountOther = "other", "5" }, 500, map[string]int64{"general": 500}},
		"the maximum":                  {func(f *donation.Form) { f.Amount, f.AmountOther = "other", "25000" }, 2_500_000, map[string]int64{"general": 2_500_000}},
		"no fund named":                {func(f *donation.Form) { f.Fund = "" }, 2000, map[string]int64{"general": 2000}},
		"no frequency named":           {func(f *donation.Form) { f.Frequency = "" }, 2000, map[string]int64{"general": 2000}},
		"split":                        {split("building", "5", "general", "15", "network", ""), 2000, map[string]int64{"general": 1500, "building": 500}},
		"a phone number":               {func(f *donation.Form) { f.Contact.Phone = "+1 (617) 555-0100 x12" }, 2000, map[string]int64{"general": 2000}},
		"a note of some lines":         {func(f *donation.Form) { f.Contact.Note = "One\r\n\ttwo\r\n" }, 2000, map[string]int64{"general": 2000}},
		"names of all kinds": {func(f *donation.Form) {
			f.Contact.FirstName, f.Contact.LastName = "Nguyễn Thị", "O’Brien-Ñañez \"the\" <b>"
		}, 2000, map[string]int64{"general": 2000}},
	} {
		t.Run(name, func(t *testing.T) {
			f := good()
			test.fill(&f)
			r, err := f.Check(offer())
			require.NoError(t, err)
			assert.Equal(t, money.New(test.minor, "USD"), r.Amount)
			parts := map[string]int64{}
			for _, p := range r.Designations {
				i := slices.IndexFunc(funds, func(f fund.Fund) bool { return f.ID == p.FundID })
				parts[funds[i].Slug] = p.Amount.Minor
			}
			assert.Equal(t, test.parts, parts)
		})
	}
}

func TestDesignationsKeepTheOrderOfTheFunds(t *testing.T) {
	f := good()
	split("building", "5", "network", "5", "general", "10")(&f)
	for range 20 { // the form's map has no order
		r, err := f.Check(offer())
		require.NoError(t, err)
		require.Equal(t, []uuid.UUID{funds[0].ID, funds[1].ID, funds[2].ID}, []uuid.UUID{r.Designations[0].FundID, r.Designations[1].FundID, r.Designations[2].FundID})
	}
}

// TestPastedIntoEveryField requires that marks nobody sees and other spaces, which copied text brings, are dropped in every
// field of a contact, in the note and in a dedication.
func TestPastedIntoEveryField(t *testing.T) {
	valid := map[string]string{"email": "eva@example.org", "phone": "617 555 0100"}
	for _, field := range contact.FieldNames() {
		t.Run(field, func(t *testing.T) {
			text := cmp.Or(valid[field], "Ana-María 5")
			pasted := "\u202a\u00a0" + strings.NewReplacer(" ", "\u00a0", "-", "\u2011").Replace(text) + "\u200b\u202c\ufeff\t"
			want, err := typed(field, text).Check(offer())
			require.NoError(t, err)
			got, err := typed(field, pasted).Check(offer())
			require.NoError(t, err)
			require.Equal(t, want.Contact, got.Contact)
			require.Equal(t, want.Hash, got.Hash, "the same gift, however it was typed")
		})
	}
	f := good()
	f.Contact.Note, f.Dedication = "One\u00a0\u202etwo\r\n", dedication.Dedication{
		Kind: dedication.Honour, Name: "\u2068Luz\u2069", CardName: "Luz\u00a0Díaz", CardEmail: "mailto:luz@example.org.", CardMessage: "\ufeffHello",
	}
	r, err := f.Check(offer())
	require.NoError(t, err)
	require.Equal(t, "One two", r.Contact.Note)
	require.Equal(t, &dedication.Dedication{Kind: dedication.Honour, Name: "Luz", CardName: "Luz Díaz", CardEmail: "luz@example.org", CardMessage: "Hello"}, r.Dedication)
}

// TestPhones lists telephone numbers as people paste them, and what is stored; "" is refused.
func TestPhones(t *testing.T) {
	for pasted, want := range map[string]string{
		"\u202a+1 617 555 0142\u202c": "+1 617 555 0142", "617\u2011555\u20110142": "617-555-0142", "617–555–0142": "617-555-0142",
		"tel:+1-617-555-0142": "+1-617-555-0142", "TEL: 6175550142": "6175550142", "617\u00a0555\u00a00142 ext. 5": "617 555 0142 ext. 5",
		"617-555-0142 x12": "617-555-0142 x12", "617-555-0142, ext 12": "617-555-0142, ext 12", "617 555 0142 extensión 7": "617 555 0142 extensión 7",
		"+55 (11) 91234-5678 ramal 3": "+55 (11) 91234-5678 ramal 3", "617.555.0142#5": "617.555.0142#5", "６１７５５５０１４２": "6175550142", "٦١٧٥٥٥٠١٤٢": "6175550142",
		"+509 34 12 3456": "+509 34 12 3456", "(617) 555/0142": "(617) 555/0142",
		"ext. 5": "", "617 ext": "", "+": "", "555-ANGEL": "", "617 555 0142 or 43": "", "++16175550142": "",
	} {
		t.Run(pasted, func(t *testing.T) {
			f := good()
			f.Contact.Phone = pasted
			r, err := f.Check(offer())
			if want == "" {
				require.Equal(t, []string{"phone give.error.phone.format"}, refusals(err))
				return
			}
			require.NoError(t, err)
			require.Equal(t, want, r.Contact.Phone)
		})
	}
}

// TestMistypedDomainIsAskedAboutOnce requires that the form asks about gmial.com, for the donor and for a card, and takes
// it when the donor submits it again.
func TestMistypedDomainIsAskedAboutOnce(t *testing.T) {
	f := good()
	f.Contact.Email = "Ana@gmial.com"
	f.Dedication = dedication.Dedication{Kind: dedication.Memory, Name: "Luz", CardName: "Eva", CardEmail: "eva@hotmial.com"}
	require.Equal(t, []string{"email give.error.email.typo", "card_email give.error.email.typo"}, refusalsOf(t, f))
	f.EmailsAsked = []string{"Ana@gmial.com"}
	require.Equal(t, []string{"card_email give.error.email.typo"}, refusalsOf(t, f))
	f.EmailsAsked = append(f.EmailsAsked, "eva@hotmial.com")
	require.Empty(t, refusalsOf(t, f))
	f.Contact.Email = "ana@gmai.com"
	require.Equal(t, []string{"email give.error.email.typo"}, refusalsOf(t, f), "another address is another question")
}

// TestOneName requires that a person with one name can give.
func TestOneName(t *testing.T) {
	f := good()
	f.Contact.FirstName, f.Contact.LastName = "Suharto", ""
	r, err := f.Check(offer())
	require.NoError(t, err)
	require.Equal(t, []string{"Suharto", ""}, []string{r.Contact.FirstName, r.Contact.LastName})
}

// TestAmountsInThePagesNumberFormat requires that what has two readings is asked about, and that each language reads its
// own format.
func TestAmountsInThePagesNumberFormat(t *testing.T) {
	for _, test := range []struct {
		lang, text string
		want       int64 // minor units; 0: asked about
	}{
		{"en", "1,250", 125000}, {"en", "1.250", 0}, {"es", "1,250", 125000}, {"es", "1.250", 0}, {"ht", "1,250", 125000},
		{"pt", "1.250", 125000}, {"pt", "1,250", 0}, {"pt", "1.250,00", 125000}, {"en", "20 USD", 2000}, {"en", "$20.00 USD", 2000}, {"en", "USD 20", 2000}, {"en", "20.", 2000},
	} {
		t.Run(test.lang+" "+test.text, func(t *testing.T) {
			f := good()
			f.Language, f.Amount, f.AmountOther = phrase.Language(test.lang), "other", test.text
			r, err := f.Check(offer())
			if test.want == 0 {
				require.Equal(t, []string{"amount_other give.error.amount.ambiguous"}, refusals(err))
				return
			}
			require.NoError(t, err)
			require.Equal(t, test.want, r.Amount.Minor)
		})
	}
}

// TestHashTellsAChangedMind: the form's id does not count, everything typed does.
func TestHashTellsAChangedMind(t *testing.T) {
	first, err := good().Check(offer())
	require.NoError(t, err)
	again, err := good().Check(offer())
	require.NoError(t, err)
	require.NotEqual(t, first.FormID, again.FormID)
	require.Equal(t, first.Hash, again.Hash)
	seen := map[[32]byte]bool{first.Hash: true}
	changed := func(name string, f donation.Form) {
		r, err := f.Check(offer())
		require.NoError(t, err, name)
		require.False(t, seen[r.Hash], name)
		seen[r.Hash] = true
	}
	valid := map[string]string{"email": "eva@example.org", "phone": "6175550100"} // for fields that do not take every text
	for _, field := range contact.FieldNames() {
		changed(field, typed(field, cmp.Or(valid[field], "x")))
	}
	for i, change := range []func(*donation.Form){
		func(f *donation.Form) { f.Amount = "30" }, func(f *donation.Form) { f.Fund = "network" }, func(f *donation.Form) { f.Language = "es" },
		func(f *donation.Form) { f.Anonymous = true }, func(f *donation.Form) { f.News = true }, split("general", "10", "network", "10"),
		func(f *donation.Form) { f.Contact.Note = "x" },
	} {
		f := good()
		change(&f)
		changed(fmt.Sprintf("change %d", i), f)
	}
}

// TestNoFormBuysWhatIsNotOffered: the fields about money may contain any text. An accepted request lies within the
// limits, is for listed funds and sums.
func TestNoFormBuysWhatIsNotOffered(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.StringMatching(`[-+$ ]?[0-9.,]{1,12}[eE]?[0-9]?`), rapid.SampledFrom([]string{"", "other", "10", "20", "NaN", "1e9", "0x1F", "Infinity"}))
		slug := rapid.SampledFrom([]string{"", "general", "network", "operations", "land", "General", "general'--"})
		f := good()
		f.Amount, f.AmountOther, f.Fund = text.Draw(t, "amount"), text.Draw(t, "other"), slug.Draw(t, "fund")
		if rapid.Bool().Draw(t, "splits") {
			f.Split = rapid.MapOf(slug, text).Draw(t, "split")
		}
		o := offer()
		r, err := f.Check(o)
		if err != nil {
			require.True(t, fault.Is(err, fault.Invalid), "%v", err)
			return
		}
		require.True(t, o.Organisation.Accepts(r.Amount.Minor), "%s", r.Amount)
		var sum int64
		for _, p := range r.Designations {
			require.True(t, slices.ContainsFunc(funds, func(f fund.Fund) bool { return f.ID == p.FundID }))
			require.Positive(t, p.Amount.Minor)
			sum += p.Amount.Minor
		}
		require.Equal(t, r.Amount.Minor, sum)
	})
}

// FuzzEmail: what is accepted is one plain address and nothing a mail server could read otherwise.
func FuzzEmail(f *testing.F) {
	for _, seed := range []string{"ana@example.org", `"a b"@example.org`, "a@b.c>\r\nRCPT TO:<x@y.z", "a@b.c,d@e.f", "é@b.c", "a@é.c", "a@é\r\n.c"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		form := good()
		form.Contact.Email = text
		r, err := form.Check(offer())
		var bad *fault.Error
		if errors.As(err, &bad) {
			return
		}
		require.NoError(t, err)
		require.Equal(t, 1, strings.Count(r.Contact.Email, "@"))
		require.False(t, strings.ContainsAny(r.Contact.Email, "\r\n\x00<>\"(),:;[]\\ "))
		require.LessOrEqual(t, len(r.Contact.Email), 254)
		require.False(t, strings.ContainsFunc(r.Contact.Email, func(c rune) bool { return c > unicode.MaxASCII }))
	})
}

// TestPartsAreTheAmount: amounts for several funds are the gift if no other amount is chosen.
func TestPartsAreTheAmount(t *testing.T) {
	for _, amount := range []string{"", "other"} {
		f := good()
		f.Amount = amount
		split("general", "15 USD", "network", "$25.00")(&f)
		r, err := f.Check(offer())
		require.NoError(t, err)
		require.Equal(t, money.New(4000, "USD"), r.Amount)
		require.Len(t, r.Designations, 2)
	}
}

// TestAPartAboveTheMaximum: the error is that of the amount, beside the parts.
func TestAPartAboveTheMaximum(t *testing.T) {
	for _, part := range []string{"2000000", "999999999999"} {
		f := good()
		f.Amount = ""
		split("general", part, "network", "20")(&f)
		_, err := f.Check(offer())
		var refused *fault.Error
		require.ErrorAs(t, err, &refused)
		require.Equal(t, "split", refused.Fields[0].Name)
		require.Equal(t, "give.error.amount.maximum", refused.Fields[0].Phrase)
	}
}

// TestCommasAfterPartsOfAnAddress: an address is printed with commas between its parts.
func TestCommasAfterPartsOfAnAddress(t *testing.T) {
	want := contact.Details{AddressLine1: "12 Main St", AddressLine2: "Apt 3, rear", City: "Boston", Region: "MA", PostalCode: "02118", Country: "US"}
	f := good()
	f.Contact.Details = contact.Details{AddressLine1: "12 Main St,", AddressLine2: "Apt 3, rear , ", City: "Boston,", Region: "MA ,,", PostalCode: "02118,", Country: "US"}
	r, err := f.Check(offer())
	require.NoError(t, err)
	require.Equal(t, want, r.Contact.Details)
	own, err := donation.CheckDetails(f.Contact.Contact)
	require.NoError(t, err)
	require.Equal(t, want, own.Details)
}
