package view_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/templates"
)

// composed are the keys of which the code contains only the beginning, such as "give.frequency." + frequency. The test
// checks that the code contains each beginning.
var composed = []string{
	"give.frequency.", "give.dedication.", "give.charge.", "give.button.", "currency.", "problem.", "receipt.v", "statement.v",
	"card.subject.", "card.gave.", "card.gave_unnamed.",
	"plan.every.", "plan.card.", "plan.why.", "plan.letter.", "plan.comes_until.", "plan.confirm.", "plan.status.", "plan.said.", "plan.button.",
	"portal.said.", "portal.state.", "portal.plan.", "letters.kind.", "address.letter.",
}

// fieldWords are the keys that a field of the form takes by its name: "give." + name.
var fieldWords = regexp.MustCompile(`^give\.(amount|amount_other|fund|frequency|occurrences|first_name|last_name|email|phone|` +
	`address_line1|address_line2|city|region|postal_code|country|note|anonymous|news|` +
	`split|cover_fees|dedication|dedication_name|card_name|card_email|card_message)(_hint)?$`)

var (
	called = regexp.MustCompile(`\b(?:[tn]|print) "([^"]+)"`)
	quoted = regexp.MustCompile(`"((?:page|home|address|give|thanks|problem|receipt|card|head|currency|ledger|plan|statement|privacy|records|sign_in|portal|letters)\.[a-z0-9_.]*)"`)
)

// TestEveryPhraseUsedExists reads the templates and the whole program.
func TestEveryPhraseUsedExists(t *testing.T) {
	words := catalogue(t)
	for key := range used(t) {
		whole := words.Has(key) || words.Has(key+"#other")
		beginning := slices.Contains(composed, key) || key == "give." || words.Has(key+".title")
		if !whole && !beginning {
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
	for _, dir := range []string{"layout", "give", "portal", "letters"} {
		require.NoError(t, fs.WalkDir(templates.FS, dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			content, err := fs.ReadFile(templates.FS, path)
			for _, call := range called.FindAllStringSubmatch(string(content), -1) {
				keys[call[1]] = true
			}
			return err
		}))
	}
	require.NoError(t, filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		workshop := strings.HasPrefix(path, "../workshop/chaos/") || strings.HasPrefix(path, "../workshop/stripefake/") // no reader sees their texts
		if err != nil || d.IsDir() || workshop || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		content, err := os.ReadFile(path)
		for _, key := range quoted.FindAllStringSubmatch(string(content), -1) {
			keys[key[1]] = true
		}
		return err
	}))
	return keys
}
