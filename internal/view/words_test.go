package view_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/giving/contact"
	"konbit/internal/platform/phrase"
	"konbit/internal/view"
	"konbit/templates"
)

// composed are the keys of which the code contains only the beginning, such as "give.frequency." + frequency. The test
// checks that the code contains each beginning.
var composed = []string{
	"give.frequency.", "give.dedication.", "give.charge.", "give.button.", "currency.", "problem.", "receipt.v", "statement.v",
	"card.subject.", "card.gave.", "card.gave_unnamed.",
	"plan.every.", "plan.card_use.", "plan.card.", "plan.wallet.", "plan.why.", "plan.letter.", "plan.comes_until.", "plan.confirm.", "plan.status.", "plan.said.", "plan.button.",
	"portal.said.", "portal.state.", "portal.plan.", "letters.kind.", "address.letter.", "address.move.letter.", "notice.",
	"gifts_csv.", "plan_link.lead.", "task.", "sign_in.letter.subject", "sign_in.letter.text", "sign_in.letter.why",
	"office.role.", "office.said.", "office.rule.", "office.people.confirm.", "office.people.will.", "office.nav.", "office.email.", "office.field.", "office.gifts.",
	"office.donors.column.", "office.donors.label.", "office.donors.kind.", "office.donors.wanted.", "office.donors.decision.", "office.donors.way.",
	"office.donors.gift.", "office.donors.every.", "office.donors.plan.", "office.donors.receipt.", "office.donors.void.", "office.donors.delivery.",
	"office.donors.email.", "office.donors.form.", "office.donors.check.", "office.donors.field.", "office.donors.obstacle.",
	"office.today.", "office.evidence.", "office.today.for.", "office.today.approval.", "office.tasks.about.", "office.tasks.will_close.", "office.tasks.closes.", "office.tasks.urgency.",
	"office.tasks.object.", "office.tasks.detail.", "office.tasks.problem.", "office.tasks.type.", "office.dispute.state.", "office.dispute.next.", "office.dispute.reason.", "office.dispute.filter.",
	"office.dispute.step.", "office.entries.of.", "office.entries.kind.", "office.gifts.event.email.", "office.account_name.", "office.suspense.gift.", "office.gifts.narrow.", "office.give.error.", "office.suspense.kind.",
	"office.bank.holds.", "office.bank.item.", "office.bank.kind.", "office.bank.function.", "office.bank.reason.", "office.bank.column.", "office.bank.key.", "office.bank.month.",
	"office.bank.files.", "office.bank.proof.", "office.bank.stripe.",
	"office.deposit.state.", "office.deposit.column.", "office.deposit.slip.", "office.owed.column.", "office.owed.state.", "office.owed.method.", "office.owed.error.",
	"office.import.column.", "office.import.state.", "office.import.row.", "office.import.doubt.", "office.import.error.", "office.import.field.", "office.import.order_of_days.", "office.import.decimals.", "office.batch.field.",
	"office.audit.act.", "office.audit.kind.", "office.audit.value.", "office.audit.part.", "office.audit.state.", "office.audit.field.", "office.audit.column.", "office.gifts.event.",
	"refund.state.", "refund.next.", "refund.origin.", "office.refund.label.", "office.refund.reason.", "office.refund.email.", "office.refund.column.",
	"office.refunds.filter.", "office.refunds.column.", "office.approvals.column.", "office.approvals.list.", "office.approvals.empty.", "office.approval.state.",
	"office.approval.did.", "office.roles.act.", "office.roles.label.", "office.payouts.", "office.payouts.error.",
	"office.void.", "office.batch.", "office.batch.error.", "office.batch.field.", "office.batch.given_by.", "office.batch.method.", "thanks.v1.",
}

// notPhrases are quoted names that only look like keys: types of Stripe's events, acts of the audit log, and a key after office.evidence.
var notPhrases = []string{"refund.created", "refund.updated", "refund.ordered", "plan.paused", "plan.resumed", "plan.cancelled", "receipt.", "receipt.opened", "receipt.corrected",
	"receipt.redirected", "receipt.sent_again"}

// otherFields are the fields of the donation form beside those of a contact.
var otherFields = []string{"amount", "amount_other", "fund", "frequency", "occurrences", "note", "anonymous", "news",
	"split", "cover_fees", "dedication", "dedication_name", "card_name", "card_email", "card_message"}

// fieldWords are the keys that a field of the form takes by its name: "give." + name.
var fieldWords = regexp.MustCompile(`^give\.(` + strings.Join(append(contact.FieldNames(), otherFields...), "|") + `)(_hint)?$`)

// called matches a phrase that a template shows.
var called = regexp.MustCompile(`\b(?:[tn]|print) "([^"]+)"`)

// quoted returns the expression that matches, in a Go file, a quoted key that begins like a key of the catalogue.
func quoted(words *phrase.Catalogue) *regexp.Regexp {
	var areas []string
	for _, key := range words.Keys() {
		if area, _, _ := strings.Cut(key, "."); !slices.Contains(areas, area) {
			areas = append(areas, area)
		}
	}
	return regexp.MustCompile(`"((?:` + strings.Join(areas, "|") + `)\.[a-z0-9_.]*)"`)
}

// TestEveryPhraseUsedExists requires that each key in any folder of templates, and each one in the Go files, is in the
// catalogue. LoadWords holds all languages of an area to the same keys.
func TestEveryPhraseUsedExists(t *testing.T) {
	words := catalogue(t)
	for key := range used(t) {
		whole := words.Has(key) || words.Has(key+"#other")
		beginning := slices.Contains(composed, key) || key == "give." || words.Has(key+".title")
		if !whole && !beginning && !slices.Contains(notPhrases, key) {
			t.Errorf("%s is used and not in the catalogue", key)
		}
	}
}

// TestEveryPhraseIsUsed reports phrases that nothing uses.
func TestEveryPhraseIsUsed(t *testing.T) {
	keys := used(t)
	for _, key := range catalogue(t).Keys() {
		key, _, _ = strings.Cut(key, "#")
		if !keys[key] && !beginsComposed(key) && !fieldWords.MatchString(key) {
			t.Errorf("%s is in the catalogue and not used", key)
		}
	}
	for _, beginning := range composed {
		assert.True(t, keys[beginning], "nothing composes keys of %q any more", beginning)
	}
}

func beginsComposed(key string) bool {
	for _, beginning := range composed {
		if strings.HasPrefix(key, beginning) {
			return true
		}
	}
	return false
}

// used returns every key that a template calls or that a Go file quotes.
func used(t *testing.T) map[string]bool {
	t.Helper()
	keys := map[string]bool{}
	require.NoError(t, fs.WalkDir(templates.FS, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(path, "static/") {
			return err
		}
		content, err := fs.ReadFile(templates.FS, path)
		for _, call := range called.FindAllStringSubmatch(string(content), -1) {
			keys[call[1]] = true
		}
		return err
	}))
	inGo := quoted(catalogue(t))
	for _, root := range []string{"../../internal", "../../cmd/konbit"} {
		require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			workshop := strings.HasPrefix(path, "../../internal/workshop/") // no reader sees their texts
			if err != nil || d.IsDir() || workshop || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			content, err := os.ReadFile(path)
			for _, key := range inGo.FindAllStringSubmatch(string(content), -1) {
				keys[key[1]] = true
			}
			return err
		}))
	}
	return keys
}

// TestStaffPagesHaveWordsInTheirLanguages adds a page and words to the office: its template uses phrases like a donors'
// page, and the office needs no Portuguese and no Haitian Creole.
func TestStaffPagesHaveWordsInTheirLanguages(t *testing.T) {
	office := func(more map[string]string) fs.FS {
		files := fstest.MapFS{}
		require.NoError(t, fs.WalkDir(templates.FS, ".", func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			content, err := fs.ReadFile(templates.FS, path)
			files[path] = &fstest.MapFile{Data: content}
			return err
		}))
		for path, content := range more {
			files[path] = &fstest.MapFile{Data: []byte(content)}
		}
		return files
	}
	page := map[string]string{
		"office/tasks.html": `{{define "title"}}{{t "probe.title"}}{{end}}{{define "masthead"}}{{end}}{{define "main"}}<p>{{t "probe.title"}} {{n "probe.open" 2}}</p>{{end}}`,
		"office/en.yaml":    "probe.title: Tasks\nprobe.open#one: one open\nprobe.open#other: '{n} open'\n",
		"office/es.yaml":    "probe.title: Tareas\nprobe.open#one: una abierta\nprobe.open#other: '{n} abiertas'\n",
	}
	words, err := view.LoadWords(office(page))
	require.NoError(t, err)
	require.Equal(t, phrase.Known(), words.Languages())
	v, err := view.New(office(page), words)
	require.NoError(t, err)
	for asked, want := range map[phrase.Language][2]string{
		"en": {"en", "Tasks 2 open"}, "es": {"es", "Tareas 2 abiertas"}, "pt": {"en", "Tasks 2 open"}, "ht": {"en", "Tasks 2 open"},
	} {
		t.Run(string(asked), func(t *testing.T) {
			var b bytes.Buffer
			lang := view.StaffLanguage(asked)
			require.NoError(t, v.Write(&b, "office/tasks", lang, frame(lang)))
			require.Contains(t, b.String(), `<html lang="`+want[0]+`">`)
			require.Contains(t, b.String(), "<p>"+want[1]+"</p>")
			if asked != lang {
				require.ErrorContains(t, v.Write(&b, "office/tasks", asked, frame(asked)), "see StaffLanguage", "a page in two languages")
			}
		})
	}

	for wrong, more := range map[string]map[string]string{
		"es: probe.title is missing":               {"office/en.yaml": "probe.title: Tasks\nx: y\n", "office/es.yaml": "x: y\n"},
		"needs them in [en es]":                    {"office/pt.yaml": "a: b\n", "office/en.yaml": "a: b\n", "office/es.yaml": "a: b\n"},
		"en: page.skip stands in another file too": {"office/en.yaml": "page.skip: x\n", "office/es.yaml": "page.skip: x\n"},
	} {
		t.Run(wrong, func(t *testing.T) {
			_, err := view.LoadWords(office(more))
			require.ErrorContains(t, err, wrong)
		})
	}
}
