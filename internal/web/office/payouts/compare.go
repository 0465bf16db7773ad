package payouts

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"net/http"
	"strconv"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/office/payoutlist"
	"konbit/internal/people/audit"
	"konbit/internal/people/staff"
	"konbit/internal/platform/fault"
	"konbit/internal/view"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// ComparePage is what came of comparing Stripe's report.
type ComparePage struct {
	desk.Page
	Says   string
	Agrees bool
	Left   string // how many rows were not compared; empty: none
	More   string // that there are more differences than the page shows; empty: there are not
	Table  desk.Table
	List   string // address of the list of payouts
}

// maxShown is how many differences a page shows.
const maxShown = 500

// comparePost compares a report that is sent with the payouts here. The file is read and not stored; its hash is in the audit log.
func (a *Area) comparePost(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	if v.Organisation != nil {
		return web.NotFound()
	}
	file, err := web.NextFile(r)
	if errors.Is(err, io.EOF) {
		return a.refuse(w, r, v, fault.Field{Name: "file", Phrase: "office.payouts.error.none"})
	}
	if err != nil {
		return err
	}
	sum := sha256.New()
	rows, err := payoutlist.ReadReport(io.TeeReader(file, sum))
	var bad *payoutlist.ReportError
	if errors.As(err, &bad) {
		return a.refuse(w, r, v, fault.Field{Name: "file", Phrase: "office.payouts.error." + bad.Why, Args: fault.Args{"line": bad.Line, "detail": bad.Detail}})
	}
	if err != nil {
		return web.Malformed(err)
	}
	var c payoutlist.Comparison
	err = a.Read(r, v, func(tx *sqlx.Tx) (err error) {
		c, err = payoutlist.Compare(r.Context(), tx, v.Entity.ID, rows)
		return err
	})
	if err != nil {
		return err
	}
	if err := a.record(r, v, c, sum); err != nil {
		return err
	}
	return a.Write(w, http.StatusOK, "payout_compare", v.Language, a.comparePage(r, v, c))
}

// record adds the comparison to the audit log.
func (a *Area) record(r *http.Request, v web.StaffVisit, c payoutlist.Comparison, sum hash.Hash) error {
	return staff.InTx(r.Context(), a.DB, v.Session, func(tx *sqlx.Tx) error {
		return audit.RecordTx(r.Context(), tx, audit.Act{
			Name: "payout.compared", EntityID: uuid.NullUUID{UUID: v.Entity.ID, Valid: true}, ObjectKind: "payout_report", ObjectID: a.NewID().String(),
			After: map[string]any{"sha256": hex.EncodeToString(sum.Sum(nil)), "rows": c.Rows, "payouts": c.Payouts, "differences": len(c.Differences)},
		})
	})
}

// refuse shows the list of payouts, with what is wrong with the file.
func (a *Area) refuse(w http.ResponseWriter, r *http.Request, v web.StaffVisit, problem fault.Field) error {
	p, err := a.listPage(r, v)
	if err != nil {
		return err
	}
	p.Problems = []fault.Field{problem}
	p.Note = a.View.ErrorText(v.Language, problem)
	p.Errors = []view.FormError{{Target: "file", Field: a.say(v, "report.file"), Text: p.Note}}
	return a.Write(w, http.StatusUnprocessableEntity, "payouts", v.Language, p)
}

func (a *Area) comparePage(r *http.Request, v web.StaffVisit, c payoutlist.Comparison) ComparePage {
	p := ComparePage{Page: a.PageOf(r, v, "payouts"), Agrees: len(c.Differences) == 0 && c.Payouts > 0, List: v.Path("payouts")}
	rows, payouts := strconv.Itoa(c.Rows-c.WithoutName), strconv.Itoa(c.Payouts)
	p.Says = a.View.PhraseN(v.Language, "office.payouts.compared", len(c.Differences), "rows", rows, "payouts", payouts)
	switch {
	case c.Payouts == 0:
		p.Says = a.say(v, "compared.nothing")
	case p.Agrees:
		p.Says = a.say(v, "compared.agrees", "rows", rows, "payouts", payouts)
	}
	if c.WithoutName > 0 {
		p.Left = a.View.PhraseN(v.Language, "office.payouts.compared.left", c.WithoutName)
	}
	p.Table = desk.Table{Caption: a.say(v, "compared.caption")}
	for _, name := range []string{"kind", "report", "here", "line", "transaction", "payout"} {
		wide := name == "transaction" || name == "payout"
		p.Table.Columns = append(p.Table.Columns, desk.Column{Name: name, Label: a.say(v, "compared.column."+name), Wide: wide})
	}
	shown := c.Differences
	if len(shown) > maxShown {
		shown = shown[:maxShown]
		p.More = a.say(v, "compared.more", "shown", strconv.Itoa(maxShown), "n", strconv.Itoa(len(c.Differences)))
	}
	for _, d := range shown {
		line := desk.Cell{}
		if d.Line > 0 {
			line.Text = strconv.Itoa(d.Line)
		}
		p.Table.Rows = append(p.Table.Rows, desk.Row{Cells: []desk.Cell{
			{Text: a.say(v, "compared."+string(d.Kind))}, {Text: d.Report}, {Text: d.Here}, line, {Text: d.Transaction},
			{Text: d.Payout, URL: v.Path("payouts/" + d.Payout)},
		}})
	}
	return p
}
