package main

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/books/org"
	"konbit/internal/books/task"
	"konbit/internal/giving/payment"
	"konbit/internal/office/worklist"
	"konbit/internal/platform/pg"
	"konbit/internal/platform/phrase"
	"konbit/internal/workshop/testkit/program"
)

// TestTaskKinds lists the codes of all kinds, which the rows of finance_task hold: a changed code would open a second
// task and never close the first. Each kind has texts in both languages of the office.
func TestTaskKinds(t *testing.T) {
	var codes []string
	words, err := officeWords()
	require.NoError(t, err)
	require.Equal(t, []phrase.Language{phrase.English, phrase.Spanish}, words.Languages())
	keys := map[string]bool{}
	for _, k := range task.Kinds() {
		codes = append(codes, k.Code)
		for _, key := range []string{k.TitleKey(), k.NextKey()} {
			require.True(t, words.Has(key), key)
			keys[key] = true
		}
	}
	require.Equal(t, []string{
		"balance_in_other_currency", "balance_transaction_not_booked", "balance_transactions_stuck", "charge_not_readable", "checker_found", "customer_of_erased_donor_kept",
		"entries_not_sealed", "event_lost", "events_set_aside", "fund_could_not_bear", "gift_paid_twice", "in_kind_needs_appraisal", "letter_refused", "more_went_back_than_was_left", "movement_does_not_fit",
		"paper_needs_font", "payment_after_plan_ended", "payment_beyond_plan",
		"payment_differs_from_gift", "payment_disputed", "payment_in_other_currency", "payment_of_another_entity", "payment_without_bill", "payment_without_gift",
		"payout_differs_from_its_transactions", "payout_failed", "plan_card_of_another", "plan_differs_at_stripe", "plan_link_refused", "plan_payment_disputed", "plan_request_stuck", "plan_without_address", "purged_gift_paid", "refund_failed",
		"refund_not_made", "refund_refused", "refund_stuck", "replaced_gift_paid", "staff_break_glass", "suspense_refund_refused", "unknown_balance_transaction", "unstored_email_refused",
	}, codes)
	for _, key := range words.Keys() {
		if strings.HasPrefix(key, "task.") && strings.Count(key, ".") == 2 {
			require.True(t, keys[key], "%s is the phrase of no kind", key)
		}
	}
}

// TestEachTaskKindIsOpened reads the source: each package variable that holds a registered kind is used where a task is
// opened, so that no kind remains after its cause was removed.
func TestEachTaskKindIsOpened(t *testing.T) {
	declared, used := map[string]bool{}, map[string]int{}
	for folder, files := range parsePackages(t) {
		if folder == filepath.Join("../../internal/books", "task") {
			continue
		}
		for _, f := range files {
			ast.Inspect(f, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.ValueSpec:
					for i, value := range n.Values {
						if registersKind(value) {
							declared[folder+" "+n.Names[i].Name] = true
						}
					}
				case *ast.Ident:
					used[folder+" "+n.Name]++
				}
				return true
			})
		}
	}
	require.Len(t, declared, len(task.Kinds()), "each kind is held by a package variable")
	for name := range declared {
		require.Greater(t, used[name], 1, "%s is declared and not used", name)
	}
}

// registersKind reports whether an expression calls task.Register or a function of its package whose name ends in Task.
func registersKind(value ast.Expr) bool {
	call, ok := value.(*ast.CallExpr)
	if !ok {
		return false
	}
	switch f := call.Fun.(type) {
	case *ast.SelectorExpr:
		x, ok := f.X.(*ast.Ident)
		return ok && x.Name == "task" && f.Sel.Name == "Register"
	case *ast.Ident:
		return strings.HasSuffix(f.Name, "Task")
	}
	return false
}

// parsePackages parses the program, folder by folder, without its tests.
func parsePackages(t *testing.T) map[string][]*ast.File {
	files := token.NewFileSet()
	parsed := map[string][]*ast.File{}
	for _, root := range []string{"../../internal", "."} {
		require.NoError(t, filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			f, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
			parsed[filepath.Dir(path)] = append(parsed[filepath.Dir(path)], f)
			return err
		}))
	}
	return parsed
}

func TestTasksAreListed(t *testing.T) {
	words, err := officeWords()
	require.NoError(t, err)
	tsne := org.LegalEntity{ID: uuid.New(), Slug: "tsne"}
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	stored := []task.Stored{{
		EntityID: tsne.ID, Code: "fund_could_not_bear", Subject: "re_1 B3-TRK", Times: 2, OpenedAt: at, ClosedAt: &at,
		Detail: map[string]string{"of": "re_1", "amount": "700", "fund": "B3-TRK"},
	}, {EntityID: tsne.ID, Code: "of_the_next_version", Subject: "1", Times: 1, OpenedAt: at}}
	for lang, want := range map[phrase.Language]string{
		phrase.English: `2026-03-01T12:00:00Z  tsne  fund_could_not_bear "re_1 B3-TRK", opened 2 times, closed 2026-03-01T12:00:00Z
    amount 700, fund B3-TRK, of re_1
    Operations paid a fund's shortfall. ` + words.T(phrase.English, "task.fund_could_not_bear.next") + `
2026-03-01T12:00:00Z  tsne  of_the_next_version "1"
    of_the_next_version. This version of the program does not know this kind of task. Ask the people who run the program.
`,
		phrase.Spanish: `2026-03-01T12:00:00Z  tsne  fund_could_not_bear "re_1 B3-TRK", opened 2 times, closed 2026-03-01T12:00:00Z
    amount 700, fund B3-TRK, of re_1
    Operaciones pagó lo que faltaba en un fondo. ` + words.T(phrase.Spanish, "task.fund_could_not_bear.next") + `
2026-03-01T12:00:00Z  tsne  of_the_next_version "1"
    of_the_next_version. Esta versión del programa no conoce este tipo de tarea. Pregunte a quienes administran el programa.
`,
	} {
		t.Run(string(lang), func(t *testing.T) {
			var out bytes.Buffer
			lines := worklist.Lines(words, lang, org.Slugs([]org.LegalEntity{tsne}), stored)
			worklist.Print(&out, words, lang, lines)
			require.Equal(t, want, out.String())
			require.Equal(t, &worklist.Link{Object: task.Fund, ID: "B3-TRK"}, lines[0].Link)
			require.Nil(t, lines[1].Link)
		})
	}
	var out bytes.Buffer
	worklist.Print(&out, words, phrase.English, nil)
	require.Equal(t, "No task is open.\n", out.String())
}

// TestTaskCommands: closing a task that is not open is a failure.
func TestTaskCommands(t *testing.T) {
	words, err := officeWords()
	require.NoError(t, err)
	h := program.New(t, program.Options{})
	t.Chdir(t.TempDir())
	t.Setenv("DATABASE_URL", h.DB.ServerURL)
	open := func(slug, subject string) {
		opened := task.Task{EntityID: h.Offer(slug).Entity.ID, Kind: task.Find("payout_failed"), Subject: subject}
		require.NoError(t, pg.InTx(t.Context(), h.DB.Server, func(tx *sqlx.Tx) error {
			return task.OpenTx(t.Context(), tx, opened, uuid.New, time.Now())
		}))
	}
	open("csio", "po_1")
	list := func(args ...string) string {
		out, err := runCommand(t, append([]string{"tasks", "list"}, args...)...)
		require.NoError(t, err)
		return out
	}
	require.Contains(t, list("--entity", "tsne"), `tsne  payout_failed "po_1"`+"\n    Payout failed. "+words.T(phrase.English, "task.payout_failed.next"))
	require.Contains(t, list("--language", "es"), "Pago al banco fallido. ")
	_, err = runCommand(t, "tasks", "list", "--language", "ht")
	require.ErrorIs(t, err, errUse)
	require.Equal(t, "No task is open.\n", list("--entity", "aina"))

	_, err = runCommand(t, "tasks", "close", "payout_failed", "po_2", "--entity", "tsne")
	require.ErrorContains(t, err, `no task payout_failed "po_2" is open`)
	_, err = runCommand(t, "tasks", "close", "payout_failed", "po_1", "--entity", "tsne")
	require.NoError(t, err)
	_, err = runCommand(t, "tasks", "close", "payout_failed", "po_1", "--entity", "tsne")
	require.ErrorContains(t, err, "no task")

	// --entity may be omitted if only one entity has the task.
	open("csio", "po_3")
	open("aina", "po_3")
	_, err = runCommand(t, "tasks", "close", "payout_failed", "po_3")
	require.ErrorIs(t, err, errUse)
	require.ErrorContains(t, err, "aina and tsne have that task: choose one with --entity")
	for _, args := range [][]string{{"po_3", "--entity", "aina"}, {"po_3"}} {
		out, err := runCommand(t, append([]string{"tasks", "close", "payout_failed"}, args...)...)
		require.NoError(t, err)
		require.Equal(t, "Closed.\n", out)
	}

	require.JSONEq(t, "[]", list("--json"))
	all := list("--all", "--json")
	for _, part := range []string{`"kind": "payout_failed"`, `"severity": "urgent"`, `"for": "finance"`, `"closes": "by_person"`, `"object": "transaction"`, `"id": "po_1"`} {
		require.Contains(t, all, part)
	}
}

// TestPaymentsIgnore: a source is ignored by a key of metadata that is not ours, or by a product.
func TestPaymentsIgnore(t *testing.T) {
	h := program.New(t, program.Options{})
	t.Chdir(t.TempDir())
	t.Setenv("DATABASE_URL", h.DB.ServerURL)
	for _, wrong := range [][]string{{}, {"--entity", "tsne"}, {"--metadata", "order_id"}, {"--entity", "tsne", "--metadata", "konbit_donation"},
		{"--entity", "tsne", "--metadata", "a b"}, {"--entity", "tsne", "--metadata", "order_id", "--product", "prod_1"}, {"--entity", "nobody", "--product", "prod_1"}} {
		_, err := runCommand(t, append([]string{"payments", "ignore"}, wrong...)...)
		require.ErrorIs(t, err, errUse, "%v", wrong)
	}
	require.Zero(t, h.Count(`SELECT count(*) FROM source_choice`))
	for _, right := range [][]string{{"--metadata", "order_id"}, {"--product", "prod_1"}, {"--product", "prod_1", "--undo"}} {
		_, err := runCommand(t, append([]string{"payments", "ignore", "--entity", "tsne"}, right...)...)
		require.NoError(t, err, "%v", right)
	}
	require.Equal(t, []string{"metadata order_id true", "product prod_1 true", "product prod_1 false"}, h.Lines(`SELECT concat_ws(' ', mark, CASE WHEN ignored THEN 'true' ELSE 'false' END) FROM source_choice ORDER BY n`))
	ignored, err := payment.IgnoredMarks(t.Context(), h.DB.Server, []uuid.UUID{h.Offer("csio").Entity.ID})
	require.NoError(t, err)
	require.Equal(t, map[string]bool{"metadata order_id": true}, ignored[h.Offer("csio").Entity.ID])
	out, err := runCommand(t, "payments", "list")
	require.NoError(t, err)
	require.Equal(t, "Every payment has a mark of ours.\n", out)
}
