// Package internal_test checks rules over all packages: which may import which, how SQL is written, what is pinned.
package internal_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// floors lists the groups of packages from the lowest to the highest. A package may import packages of lower
// groups, and the package of its parent folder (an area of web imports the kernel web). exceptions lists the
// other allowed imports in a group.
var floors = []string{"platform", "books", "people", "giving", "processor", "impact", "granting", "office", "view", "mail", "web", "app"}

// exceptions lists the imports within a group, each with its reason.
var exceptions = map[string]string{
	"platform/jobs → platform/pg":                              "the queue's own maintenance runs in a transaction",
	"platform/guard → platform/email":                          "limits count an email address without its tag",
	"platform/guard → platform/fault":                          "a refused attempt is a fault with its phrase key",
	"platform/guard → platform/keyring":                        "its tokens are signed, its counters have keyed names",
	"platform/guard → platform/pg":                             "its counters write in transactions",
	"platform/guard → platform/securitylog":                    "refused attempts are in the security log",
	"platform/email → platform/clean":                          "an address is cleaned before it is judged",
	"platform/pdf → platform/typeset":                          "a document embeds the glyphs that were chosen for its text",
	"platform/money → platform/clean":                          "an amount that is typed is cleaned before it is read",
	"people/donoraccess → people/session":                      "a proved address opens a session",
	"books/fund → books/org":                                   "a fund belongs to an organisation; the directory holds both",
	"mail → mail/transport":                                    "a composed email is sent by SMTP",
	"mail/staffmail → mail":                                    "it stores and sends the emails",
	"view → view/accent":                                       "pages and emails have the organisation's colour",
	"view → view/document":                                     "papers are set on pages",
	"view/document → view/accent":                              "the head of a paper has the organisation's colour",
	"view → view/country":                                      "forms and emails name countries",
	"mail → mail/paper":                                        "an email shows what the frozen facts say",
	"web/office/auditlog → web/office/desk":                    "pages of the office share its frame, lists and doors",
	"web/letters → web/portal/accesspage":                      "the pages that need no session look alike",
	"web/letters → web/portal/signedlink":                      "it reads the links of emails",
	"giving/checkout → giving/donation":                        "a form begins a donation",
	"giving/donation → giving/contact":                         "the form asks for a contact",
	"giving/donor → giving/contact":                            "a donor is reached by a contact's details",
	"giving/donation → giving/dedication":                      "the form asks for a dedication, and settling sends its card",
	"giving/donation → giving/donor":                           "settling records the donor's first gift",
	"giving/donation → giving/payment":                         "settling writes the payment in the same transaction",
	"giving/checkout → giving/notice":                          "it ends donations, of which none fails",
	"giving/recurring → giving/notice":                         "a plan that does not begin is told to its donor",
	"giving/donation → giving/notice":                          "a donation that fails is told to its donor in the same transaction",
	"giving/donation → giving/receipt":                         "settling issues the receipt in the same transaction",
	"giving/plan → giving/billing":                             "a plan follows the dates of its subscription and records its card",
	"giving/plan → giving/donation":                            "a donor chooses new terms on the donation form",
	"giving/plan → giving/planlink":                            "a mailed link may only make a gift smaller",
	"giving/recurring → giving/billing":                        "a plan is billed by a processor",
	"giving/recurring → giving/plan":                           "it stores plans and follows their rules",
	"giving/recurring → giving/donation":                       "each payment of a plan is a donation",
	"giving/instalment → giving/donation":                      "each payment of a plan is a donation",
	"giving/owner → giving/donation":                           "a donation has an owner",
	"giving/owner → giving/donor":                              "the owner of a donation is a donor",
	"giving/recurring → giving/owner":                          "emails about a plan go to its owner",
	"giving/plancard → giving/plan":                            "a card pays for a plan",
	"giving/recurring → giving/plancard":                       "a card that the donor gives closes the task about another's",
	"giving/planlink → giving/donor":                           "the links of an address end with it",
	"giving/plan → giving/receipt":                             "the receipt says which payment of the plan it is for",
	"giving/planterms → giving/donation":                       "a plan is for funds, as a donation is",
	"giving/planterms → giving/plan":                           "terms are a plan's",
	"giving/recurring → giving/instalment":                     "it decides what each payment of a plan is",
	"giving/recurring → giving/payment":                        "a dispute names the charge of a payment",
	"giving/plancall → giving/billing":                         "it calls the processor",
	"giving/plancall → giving/instalment":                      "an outstanding invoice is charged once",
	"giving/plancall → giving/plan":                            "it makes the calls of a plan's requests",
	"giving/recurring → giving/plancall":                       "it executes requests, and applies their results",
	"giving/recurring → giving/planlink":                       "a request by a mailed link may only make a plan smaller",
	"giving/recurring → giving/planterms":                      "it applies changes of what plans charge",
	"processor/event → processor/settlement":                   "an event about money waits until it is booked; a lost dispute is booked",
	"processor/settlement → processor/payout":                  "a payout is stored and booked in one transaction",
	"processor/settlement → processor/share":                   "how an amount is divided over funds is computed there",
	"processor/settlement → processor/refundcall":              "a refund that staff ordered is taken from the funds that they chose",
	"processor/stripepay → processor/stripepay/refunds":        "the adapter makes the refunds that staff ordered there",
	"processor/stripepay/refunds → processor/refundcall":       "it makes the refunds that staff ordered",
	"processor/stripepay/refunds → processor/stripepay/remote": "what Stripe refuses is put in words there",
	"processor/stripebalance → processor/payout":               "the import reads payouts again until they have arrived",
	"processor/stripebalance → processor/settlement":           "settlement books what the import lists",
	"processor/stripepay → processor/event":                    "the adapter translates Stripe's events into facts",
	"processor/stripepay → processor/payout":                   "the adapter translates Stripe's payouts",
	"processor/stripepay → processor/stripebalance":            "the adapter implements the import's Source",
	"processor/stripepay → processor/settlement":               "the adapter translates Stripe's balance transactions into settlement's",
	"processor/stripepay → processor/stripepay/remote":         "subscriptions are translated there",
	"processor/stripepay → processor/stripepay/transport":      "each request goes to Stripe's host alone",
	"processor/stripepay → processor/stripepay/turns":          "each call waits for its turn, gifts first",
	"processor/stripepay → processor/stripepay/webhook":        "the adapter translates the stored events; the sweep stores undelivered ones",
	"processor/stripepay/webhook → processor/event":            "an event's results are stored",
	"web/office → web/office/desk":                             "its pages have the frame that all pages of the office share",
	"web/office/gifts → web/office/desk":                       "likewise",
	"web/portal → web/portal/accesspage":                       "the area decides what the page says",
	"web/portal → web/portal/actlimit":                         "the area names the limit of each route",
	"web/portal → web/portal/giftpage":                         "the area finds what the page shows",
	"web/portal → web/portal/signedlink":                       "the area says what each link may do",
	"office/setup → office/bank":                               "the declarative file has the bank accounts",
	"office/bank/suggest → office/bank":                        "it proposes items for lines",
	"office/deposit → office/bank":                             "deposits and checks that came back are items of bank lines",
	"office/repayment → office/bank":                           "repayments are items of bank lines",
	"office/refund → office/deposit":                           "a refund gives the sponsor's fee back where the gift's money is",
	"processor/offlinepay → processor/settlement":              "it stores the changes of payments, and revises receipts",
	"processor/offlinepay → processor/share":                   "it divides what goes back over the funds",
	"processor/offlinepay → processor/payout":                  "what was in suspense at the processor moves there",
	"office/correction → office/offline":                       "it voids posted gifts and posts others in their place",
	"office/correction → office/deposit":                       "a voided gift is deposited by nobody, and a deposit may have it",
	"office/correction → office/bank":                          "a line of the bank may have the gift",
	"web/office/bank → web/office/batches":                     "a line of the bank becomes a gift by the form of a row",
	"web/office/gifts → web/office/batches":                    "a gift is corrected by the form of a row",
	"office/giftimport → office/offline":                       "it posts batches of gifts",
	"office/giftimport → office/deposit":                       "a gift that is undone is deposited by nobody",
	"office/giftimport → office/bankfile/field":                "it reads character sets and days as files of banks are read",
	"office/giftimport → office/bankfile/layout":               "it reads the rows of CSV files as they are read",
	"web/office/imports → web/office/desk":                     "the same",
	"web/office/deposits → web/office/desk":                    "the same",
	"office/bank → office/bankfile":                            "it stores what the readers read",
	"office/bankfile → office/bankfile/field":                  "values of all formats are read there",
	"office/bankfile → office/bankfile/layout":                 "the columns of CSV files have their meaning there",
	"office/bankfile → office/bankfile/markup":                 "OFX and camt.053 are divided into their parts there",
	"office/bankfile/layout → office/bankfile/field":           "columns are guessed by what their values are",
	"office/bankfile/markup → office/bankfile/field":           "what is refused is said in one way",
	"office/rotation → office/installation":                    "the recorded key is compared and replaced",
	"office/rotation → office/privacy":                         "what another key sealed is sealed again",
	"web/office/donors → web/office/desk":                      "pages of staff share the frame, lists and the prompt for a factor",
	"office/privacy → office/bank":                             "a person's copy contains what the bank wrote about their gifts",
	"office/privacy → office/note":                             "a person's copy contains what staff noted on them",
	"office/privacy → office/offline":                          "a person's copy contains what is known of gifts without a processor",
	"office/privacy → office/thanks":                           "a person's copy contains letters of thanks",
	"office/privacy → office/statement":                        "a person's copy contains their annual statements",
	"people/staff → people/session":                            "secrets of cookies and links are made and hashed there",
	"processor/settlement → processor/dispute":                 "what it books of a dispute opens or closes the task about it",
	"processor/event → processor/dispute":                      "an event tells where a dispute stands",
	"processor/stripepay/remote → processor/dispute":           "it reads what is told of a dispute",
	"processor/stripepay → processor/dispute":                  "it reads disputes at the processor",
	"processor/stripebalance → processor/dispute":              "the import asks how open disputes stand",
	"platform/pdf → platform/deflate":                          "a document's streams are the same in every release",
	"mail → mail/difference":                                   "an email is stored as its difference to a model",
	"giving/checkout → giving/dedication":                      "a form may dedicate the donation",
	"giving/owner → giving/contact":                            "the addressee of a donation is who its contact says",
	"people/staff → people/approval":                           "a change of roles where there are two admins is a request",
	"web/office/refunds → web/office/desk":                     "the same",
	"web/office/bank → web/office/desk":                        "the same",
	"web/office/disputes → web/office/desk":                    "the same",
	"web/office/payouts → web/office/desk":                     "the same",
	"web/office/suspense → web/office/desk":                    "the same",
	"web/office/batches → web/office/desk":                     "the same",
	"office/offline → office/thanks":                           "a posted gift that has no receipt gets a letter of thanks",
	"web/office/today → web/office/desk":                       "the same",
}

// workshop is the group of packages for tests, the demo and measurements. The shipped program imports none of them.
const workshop = "workshop"

// only lists the packages that may import a library.
var only = map[string]string{
	"crypto/hmac":                     "platform/keyring office/privacy people/donoraccess web/portal/signedlink", // SECRET_KEY signs through the key ring, which can be rotated
	"crypto/cipher":                   "platform/keyring",
	"github.com/go-webauthn/":         "people/staff",
	"github.com/trustelem/zxcvbn":     "people/staff",
	"golang.org/x/crypto/argon2":      "people/staff",
	"github.com/stripe/stripe-go/":    "processor/stripepay",
	"github.com/wneessen/go-mail":     "mail",
	"github.com/emersion/go-msgauth/": "mail/transport",
	"github.com/go-chi/chi/":          "web",
	"github.com/riverqueue/river":     "platform/jobs",
	"github.com/go-text/typesetting/": "platform/typeset platform/pdf",
	"github.com/klauspost/compress/":  "mail/difference",
	"github.com/jackc/pgx/v5/":        "workshop/pgproxy", // reads the protocol's messages; the program uses lib/pq
	"github.com/goccy/go-yaml":        "platform/phrase office/setup",
	"github.com/prometheus/":          "platform/metrics", // packages report through hooks, so that they do not depend on the metrics library
	"konbit/templates":                "cmd/konbit app",
	"konbit/migrations":               "cmd/konbit cmd/demo app", // the demo creates the roles
}

// forbidden returns why from may not import to, or "" if it may.
func forbidden(from, to string) string {
	if target, ok := strings.CutPrefix(to, "konbit/internal/"); ok {
		return forbiddenPackage(from, target)
	}
	for library, allowed := range only {
		if strings.HasPrefix(to+"/", library) && !within(from, strings.Fields(allowed)) && groupOf(from) != workshop && from != "migrations" {
			return "only " + allowed + " may import " + library
		}
	}
	return ""
}

// within reports whether a package is in the list or in a folder of the list.
func within(from string, listed []string) bool {
	return slices.ContainsFunc(listed, func(l string) bool { return from == l || strings.HasPrefix(from, l+"/") })
}

func forbiddenPackage(from, to string) string {
	here, there := groupOf(from), groupOf(to)
	if there == workshop {
		if here == workshop || slices.Contains([]string{"cmd/demo", "cmd/bench", "cmd/chaos"}, from) {
			return ""
		}
		return "the shipped program imports no workshop package"
	}
	below, own := slices.Index(floors, there), slices.Index(floors, here)
	switch {
	case below < 0:
		return to + " is in no group: list its group in floors"
	case here == "cmd" || here == workshop:
		return ""
	case own < 0:
		return from + " is in no group: list its group in floors"
	case below < own || strings.HasPrefix(from, to+"/") || exceptions[from+" → "+to] != "":
		return ""
	default:
		return "imports go to lower groups, or are listed in exceptions"
	}
}

// groupOf returns the group of a package: the first part of its path.
func groupOf(pkg string) string {
	group, _, _ := strings.Cut(pkg, "/")
	return group
}

func TestImportsFollowTheGroups(t *testing.T) {
	seen := map[string]bool{}
	each(t, func(pkg, path string, file *ast.File) {
		for _, spec := range file.Imports {
			to, err := strconv.Unquote(spec.Path.Value)
			require.NoError(t, err)
			if why := forbidden(pkg, to); why != "" {
				t.Errorf("%s imports %s: %s", path, to, why)
			}
			seen[pkg+" → "+strings.TrimPrefix(to, "konbit/internal/")] = true
		}
	})
	for listed := range exceptions {
		require.True(t, seen[listed], "no file needs %q any more: delete it from exceptions", listed)
	}
}

// TestEachPackageHasADoc requires the package's documentation in doc.go or in a file with the
// package's name.
func TestEachPackageHasADoc(t *testing.T) {
	documented, all := map[string]bool{}, map[string]bool{}
	each(t, func(pkg, path string, file *ast.File) {
		all[pkg] = true
		if name := filepath.Base(path); file.Doc != nil && (name == "doc.go" || name == filepath.Base(pkg)+".go" || name == "main.go") {
			documented[pkg] = true
		}
	})
	for pkg := range all {
		require.True(t, documented[pkg], "%s has no package documentation in doc.go", pkg)
	}
}

func TestWrongImportsAreRefused(t *testing.T) {
	for _, wrong := range [][2]string{
		{"books/ledger", "konbit/internal/giving/donation"}, {"platform/money", "konbit/internal/platform/pg"},
		{"giving/donation", "konbit/internal/processor/stripepay"}, {"giving/receipt", "konbit/internal/giving/donation"},
		{"web", "konbit/internal/workshop/stripefake"}, {"cmd/konbit", "konbit/internal/workshop/testkit"},
		{"giving/donation", "github.com/stripe/stripe-go/v76"}, {"cmd/konbit", "github.com/stripe/stripe-go/v76/webhook"},
		{"web", "github.com/wneessen/go-mail"}, {"view", "github.com/go-chi/chi/v5"}, {"attic", "konbit/internal/platform/money"},
		{"web", "konbit/internal/attic"}, {"view", "konbit/templates"},
	} {
		t.Run(wrong[0]+" → "+wrong[1], func(t *testing.T) {
			require.NotEmpty(t, forbidden(wrong[0], wrong[1]), "%s → %s must be refused", wrong[0], wrong[1])
		})
	}
	for _, right := range [][2]string{
		{"web", "konbit/internal/giving/donation"}, {"processor/stripepay", "github.com/stripe/stripe-go/v76"},
		{"web/give", "github.com/go-chi/chi/v5"}, {"cmd/demo", "konbit/internal/workshop/stripefake"}, {"platform/money", "errors"},
	} {
		t.Run(right[0]+" → "+right[1], func(t *testing.T) {
			require.Empty(t, forbidden(right[0], right[1]), "%s → %s", right[0], right[1])
		})
	}
}

// TestOnlyCmdReadsTheEnvironment checks that only cmd reads settings from the environment.
func TestOnlyCmdReadsTheEnvironment(t *testing.T) {
	each(t, func(pkg, path string, file *ast.File) {
		if strings.HasPrefix(pkg, "cmd/") || groupOf(pkg) == workshop {
			return
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if name := selector(n); slices.Contains([]string{"os.Getenv", "os.LookupEnv", "os.Environ"}, name) {
				t.Errorf("%s: %s: only cmd reads the environment", path, name)
			}
			return true
		})
	})
}

func selector(n ast.Node) string {
	if s, ok := n.(*ast.SelectorExpr); ok {
		if x, ok := s.X.(*ast.Ident); ok {
			return x.Name + "." + s.Sel.Name
		}
	}
	return ""
}

// each calls visit with every Go file of the module that is not a test.
func each(t *testing.T, visit func(pkg, path string, file *ast.File)) {
	t.Helper()
	seen := 0
	for _, root := range []string{".", "../cmd", "../migrations", "../templates"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
			if err != nil {
				return err
			}
			seen++
			visit(filepath.ToSlash(strings.TrimPrefix(filepath.Dir(path), "../")), path, file)
			return nil
		})
		require.NoError(t, err)
	}
	require.Greater(t, seen, 60, "the walk missed most of the program")
}
