package stripepay

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"konbit/internal/processor/stripepay/webhook"
)

// TestHandledNamesEveryTypeTheCodeReads: in this package every literal that looks like an event's type is one. The
// beginning of a type is not allowed, because it would hide types from the list.
func TestHandledNamesEveryTypeTheCodeReads(t *testing.T) {
	eventType := regexp.MustCompile(`^(account|balance|capability|charge|checkout|customer|invoice|mandate|payment_intent|payment_method|payout|` +
		`person|price|radar|refund|review|setup_intent|source|subscription_schedule|topup|transfer)\.[a-z_.]*$`)
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	read := map[string]bool{}
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		require.NoError(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			lit, ok := n.(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING {
				return true
			}
			text, err := strconv.Unquote(lit.Value)
			require.NoError(t, err)
			part := strings.HasPrefix(text, "data.") || strings.Contains(text, ".invoice_settings.") // of an object, to expand
			if eventType.MatchString(text) && !strings.HasSuffix(text, ".com") && !part {
				read[text] = true
			}
			return true
		})
	}
	require.Equal(t, slices.Sorted(maps.Keys(read)), webhook.HandledTypes(), "webhook/event_types.go and what the code reads")
}
