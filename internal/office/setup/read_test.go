package setup_test

import (
	_ "embed"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/books/fund"
	"konbit/internal/books/org"
	"konbit/internal/office/setup"
	"konbit/internal/platform/phrase"
)

//go:embed testdata/konbit.yaml
var sound string

func TestRead(t *testing.T) {
	f, err := setup.Read("konbit.yaml", []byte(sound))
	require.NoError(t, err)
	require.Len(t, f.Entities, 1)
	require.Len(t, f.Organisations, 1)

	e := f.Entities[0].LegalEntity
	assert.Equal(t, "02111", e.Address.PostalCode)
	assert.Equal(t, org.ProcessingFee{PaidBy: org.PaidByFund, BasisPoints: 220, Fixed: 30}, e.ProcessingFee, "fixed is in minor units")
	assert.Equal(t, org.SponsorFee{BasisPoints: 700, Of: org.OfGross}, e.SponsorFee)

	o := f.Organisations[0]
	assert.Equal(t, []int64{1000, 2000, 3050}, o.Presets, "amounts are in major units")
	assert.Equal(t, []int64{500, 2_500_000}, []int64{o.Minimum, o.Maximum})
	assert.Equal(t, []phrase.Language{"en", "es"}, o.Languages)
	assert.Equal(t, []org.Frequency{org.Once, org.Monthly}, o.Frequencies)
	assert.Equal(t, org.DefaultAccent, o.Accent)
	assert.True(t, o.Sponsored)
	require.Len(t, o.Funds, 2)
	assert.Equal(t, fund.ByPurpose, o.Funds[0].Restriction)
	assert.Equal(t, "el trabajo del Centro", o.Funds[0].Purpose["es"])
	assert.Equal(t, phrase.Text{}, o.Funds[1].Purpose)
}

func TestSponsored(t *testing.T) {
	own := "name: {en: TSNE MissionWorks, es: Centro de Apoyo}"
	for name, test := range map[string]struct {
		replaced string
		want     bool
	}{
		"another name":          {"name: {en: Center, es: Centro}", true},
		"the entity's own name": {own, false},
		"said to be":            {own + "\n    sponsored: true", true},
		"said not to be":        {"name: {en: Center, es: Centro}\n    sponsored: false", false},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := setup.Read("f", []byte(change(t, csioName, test.replaced)))
			if assert.NoError(t, err) {
				assert.Equal(t, test.want, f.Organisations[0].Sponsored)
			}
		})
	}
}

// TestReadWithoutCards: stripe: off closes card payment, and giving_by_mail says how else to give.
func TestReadWithoutCards(t *testing.T) {
	f, err := setup.Read("f", []byte(change(t, "    timezone:", "    stripe: off\n    giving_by_mail:\n      en: |\n        By check.\n\n        To P.O. Box 7.\n      es: Por cheque.\n    timezone:")))
	require.NoError(t, err)
	require.True(t, f.Entities[0].WithoutCards)
	require.Equal(t, phrase.Text{"en": "By check.\n\nTo P.O. Box 7.", "es": "Por cheque."}, f.Entities[0].GivingByMail)
	f, err = setup.Read("f", []byte(change(t, "    timezone:", "    stripe: on\n    timezone:")))
	require.NoError(t, err)
	require.False(t, f.Entities[0].WithoutCards)
}

const (
	csioName = "name: {en: Center to Support Immigrant Organizing, es: Centro de Apoyo}"
	network  = "      - slug: network\n        name: {en: Network, es: Red}\n        restriction: none\n"
)

// Each row makes the valid file invalid in one way.
func TestReadRefuses(t *testing.T) {
	for _, test := range []struct{ from, to, want string }{
		{"    timezone:", "    colour: red\n    timezone:", `f:6:5: entity tsne has an unknown key "colour": remove it or use one of slug, legal_name, ein, address, timezone, currency, mail_from, receipt_prefix, processing_fee, sponsor_fee, two_persons, money_factor, fiscal_year_starts, stripe, giving_by_mail, bank_accounts`},
		{"    timezone:", "    fiscal_year_starts: 13\n    timezone:", `f:6:25: entity tsne: fiscal_year_starts is not a number of the month: write a whole one from 1 to 12`},
		{"    timezone:", "    stripe: sometimes\n    timezone:", `f:6:13: entity tsne: stripe cannot be "sometimes": choose among on, off`},
		{"    timezone:", "    giving_by_mail: {en: Write to us}\n    timezone:", `f:6:21: entity tsne: organisation csio is offered in Español and giving_by_mail has no ` + "`es`" + `: add es: …`},
		{"city: Boston", "town: Boston, city: Boston", `f:5:38: entity tsne: address has an unknown key "town": remove it or use one of line1, line2, city, region, postal_code, country`},
		{"    timezone:", "    slug: tsne\n    timezone:", `f:6:5: entity tsne has the key slug twice: keep one (the other stands at line 2)`},
		{"    currency: USD\n", "", `f:2:5: entity tsne has no currency: add currency: …`},
		{"legal_name: TSNE MissionWorks", "legal_name:", `f:3:16: entity tsne: legal_name is empty: write its value or remove the key`},
		{"slug: tsne", "slug: Tsne!", `f:2:11: entity Tsne!: slug cannot be "Tsne!": write lower-case letters, digits and single hyphens, at most 40`},
		{`"12-3456789"`, `"123456789"`, `f:4:10: entity tsne: ein cannot be "123456789": write it as the IRS does, "12-3456789"`},
		{`"02111"`, `02111`, `f:5:77: entity tsne: address: postal_code is not a text: put it in quotes: postal_code: "02111"`},
		{"country: US", "country: USA", `f:5:95: entity tsne: address: country cannot be "USA": write an ISO 3166 code of two capitals, such as US`},
		{"America/New_York", "America/Boston", `f:6:15: entity tsne: timezone cannot be "America/Boston": write an IANA name such as America/New_York`},
		{"America/New_York", "Local", `f:6:15: entity tsne: timezone cannot be "Local": write an IANA name such as America/New_York`},
		{"currency: USD", "currency: XYZ", `f:7:15: entity tsne: currency cannot be "XYZ": write an ISO 4217 code in capitals, such as USD`},
		{"<gifts@tsne.example>", "gifts", `f:8:16: entity tsne: mail_from cannot be "TSNE MissionWorks gifts": write one mailbox, such as "Name <gifts@example.org>"`},
		{"    timezone:", "    receipt_prefix: Gi_\n    timezone:", `f:6:21: entity tsne: receipt_prefix cannot be "Gi_": write capitals, digits and single hyphens, at most 20, such as GI`},
		{"borne_by: fund", "borne_by: donor", `f:9:32: entity tsne: processing_fee: borne_by cannot be "donor": choose among fund, operations`},
		{"fixed: 30", "fixed: 0.30", `f:9:75: entity tsne: processing_fee: estimate: fixed is not a number of minor units, such as cents: write a whole one from 0 to 99999999`},
		{"basis_points: 700", "basis_points: 10001", `f:10:33: entity tsne: sponsor_fee: basis_points is not a number of basis points: write a whole one from 0 to 10000`},
		{"entity: tsne", "entity: tnse", `f:13:13: organisation csio belongs to entity "tnse", which the file does not declare: declare it under entities:`},
		{", es: Centro de Apoyo}", "}", "f:14:11: organisation csio is offered in Español but its name has no `es`: add es: …"},
		{csioName, "name: Center", `f:14:11: organisation csio: name is not a list of keys: write key: value, one per line, with any of en, es, pt, ht`},
		{"es: Centro de Apoyo}", "es: Centro de Apoyo, fr: Centre}", `f:14:77: organisation csio: name has an unknown key "fr": remove it or use one of en, es, pt, ht`},
		{csioName, csioName + "\n    sponsored: perhaps", `f:15:16: organisation csio: sponsored is neither true nor false: write one of them`},
		{csioName, csioName + "\n    accent: \"#7A1F1F\"", `f:15:13: organisation csio: accent cannot be "#7A1F1F": write "#rrggbb" in lower case and in quotes, such as "#7a1f1f"`},
		{"languages: [en, es]", "languages: [en, fr, es]", `f:15:21: organisation csio: languages cannot have "fr": choose among en, es, pt, ht`},
		{"languages: [en, es]", "languages: []", `f:15:16: organisation csio: languages is not a list with something in it: write languages: [ … ]`},
		{"[10, 20, 30.5]", "[10, 20, 20]", `f:16:33: organisation csio: amounts: preset 20 does not follow a smaller one: write presets in rising order, each once`},
		{"[10, 20, 30.5]", "[10, 20, 30.555]", `f:16:33: organisation csio: amounts: presets has no amount of money in "30.555": write major units as a plain number above 0, such as 20, with at most 2 decimals`},
		{"[10, 20, 30.5]", "[2, 20]", `f:16:25: organisation csio: amounts: preset 2 lies outside minimum and maximum: change one of them`},
		{"minimum: 5", "minimum: -5", `f:16:49: organisation csio: amounts: minimum has no amount of money in "-5": write major units as a plain number above 0, such as 20, with at most 2 decimals`},
		{"minimum: 5, maximum: 25000", "minimum: 50, maximum: 25", `f:16:62: organisation csio: amounts: maximum is less than minimum: swap them`},
		{"maximum: 25000", "maximum: 1000000", `f:16:61: organisation csio: amounts: maximum is more than one payment can carry: write at most 999999.99`},
		{"[once, monthly]", "[once, daily]", `f:17:25: organisation csio: frequencies cannot have "daily": choose among once, weekly, monthly, quarterly, yearly`},
		{"[once, monthly]", "[once, once]", `f:17:25: organisation csio: frequencies has once twice: remove one`},
		{"slug: network", "slug: general", `f:23:15: fund csio/general: the slug is used at line 19 already: give this fund another one or remove it`},
		{"restriction: none", "restriction: board", `f:25:22: fund csio/network: restriction cannot be "board": choose among none, purpose, time`},
		{"restriction: none", "restriction: purpose", `f:23:9: fund csio/network has no purpose: add purpose: …`},
		{", es: el trabajo del Centro}", "}", "f:22:18: fund csio/general is offered in Español but its purpose has no `es`: add es: …"},
		{"es: Red", `es: "Red\nGrande"`, `f:24:33: fund csio/network: name: es is empty or has line breaks: write one line of text`},
		{"es: Red", "es: [Red]", `f:24:33: fund csio/network: name: es is not a text: write it plainly on one line, es: "…"`},
	} {
		t.Run(test.want, func(t *testing.T) {
			f, err := setup.Read("f", []byte(change(t, test.from, test.to)))
			assert.Nil(t, f)
			assert.EqualError(t, err, test.want)
		})
	}
}

func TestRules(t *testing.T) {
	rules := setup.Rules{
		Languages: []phrase.Language{"en", "es"},
		Accent: func(hex string) error {
			if hex == "#ffff00" {
				return errors.New("choose a darker colour")
			}
			return nil
		},
	}
	_, err := rules.Read("f", []byte(change(t, csioName, csioName+"\n    accent: \"#004d40\"")))
	assert.NoError(t, err)
	_, err = rules.Read("f", []byte(change(t, csioName, csioName+"\n    accent: \"#ffff00\"")))
	assert.EqualError(t, err, "f:15:13: organisation csio: choose a darker colour")
	_, err = rules.Read("f", []byte(change(t, "[en, es]", "[en, es, ht]")))
	assert.EqualError(t, err, `f:15:25: organisation csio: languages cannot have "ht": choose among en, es`)
	_, err = rules.Read("f", []byte(change(t, "es: Red", "es: Red, ht: Rezo")))
	assert.NoError(t, err, "words may be present before the language is offered")
}

func TestReadRefusesWholeFiles(t *testing.T) {
	for data, want := range map[string]string{
		"":                        "f: the file is empty or holds several documents: write entities: and organisations: once, without ---",
		"# nothing\n":             "f: the file is empty or holds several documents: write entities: and organisations: once, without ---",
		sound + "---\n" + sound:   "f: the file is empty or holds several documents: write entities: and organisations: once, without ---",
		"entities: [1":            "f:1:11: this is not YAML: sequence end token ']' not found",
		"- tsne\n":                "f:1:1: the file is not a list of keys: write key: value, one per line, with any of entities, organisations",
		"a: *b\nentities: &x [1]": "f:1:1: the file has an unknown key \"a\": remove it or use one of entities, organisations\nf:1:1: the file has no organisations: add organisations: …\nf:2:11: the file: entities is not a list with something in it: write entities: [ … ]",
	} {
		t.Run(want, func(t *testing.T) {
			f, err := setup.Read("f", []byte(data))
			assert.Nil(t, f, data)
			assert.EqualError(t, err, want, data)
		})
	}
}

func TestReadReportsEverythingAtOnce(t *testing.T) {
	data := change(t, "currency: USD", "currency: usd")
	data = strings.Replace(data, "es: Red", "pt: Rede", 1)
	data = strings.Replace(data, "slug: csio", "slug: CSIO", 1)
	data = strings.Replace(data, "entities:", "entites: 1\nentities:", 1)
	_, err := setup.Read("f", []byte(data))
	var problems setup.Problems
	require.ErrorAs(t, err, &problems)
	var lines []int
	for _, p := range problems {
		lines = append(lines, p.Line)
	}
	assert.Equal(t, []int{1, 8, 13, 25}, lines, err.Error())
}

// FuzzRead: for any input, Read returns a valid file or its problems.
func FuzzRead(f *testing.F) {
	f.Add(sound)
	f.Add("entities: [&a {slug: *a}]\n? [x]\n: - !!map\norganisations: |\n  {}\n<<: *a\n")
	f.Fuzz(func(t *testing.T, data string) {
		file, err := setup.Read("f", []byte(data))
		if (file == nil) == (err == nil) {
			t.Fatalf("file %v, error %v", file, err)
		}
		var problems setup.Problems
		if err != nil && !errors.As(err, &problems) {
			t.Fatalf("%T: %v", err, err)
		}
	})
}

// change returns the valid file with one part replaced.
func change(t *testing.T, from, to string) string {
	t.Helper()
	require.Contains(t, sound, from)
	return strings.Replace(sound, from, to, 1)
}
