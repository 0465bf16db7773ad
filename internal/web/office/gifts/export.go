package gifts

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/office/giftlist"
	"konbit/internal/people/audit"
	"konbit/internal/people/staff"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/sheet"
	"konbit/internal/view"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// An export is a whole list as a file. It has a reason and needs a fresh factor. The audit log has an entry before its first
// byte leaves, and one with its number of rows and its hash before its last (STAFF 21).

// ExportPage is the form of an export.
type ExportPage struct {
	desk.Page
	Errors       []view.FormError
	Says         string
	Unknown      desk.Unknown
	Action, List string
	Format       string
	Reason       view.Field
	Factor       desk.Factor
	ManyPeople   int
}

const (
	longestReason = 500
	manyPeople    = 500 // an export of more people is told to the admins of the entity
)

// exportPath returns the address of the form that exports the list of an address.
func exportPath(r *http.Request, v web.StaffVisit) string {
	to := *r.URL
	to.Path = "/office/" + v.Entity.Slug + "/gifts/export"
	return desk.With(&to)
}

func (a *Area) exportGet(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	return a.showExport(w, r, v, nil, desk.Proof{})
}

func (a *Area) showExport(w http.ResponseWriter, r *http.Request, v web.StaffVisit, problems []fault.Field, asked desk.Proof) error {
	var c chosen
	var total giftlist.Total
	err := a.reading(r, v, func(tx *sqlx.Tx, asked chosen) (err error) {
		c = asked
		total, err = giftlist.Sum(r.Context(), tx, c.Query)
		return err
	})
	if err != nil {
		return err
	}
	p := ExportPage{
		Page: a.PageOf(r, v, "gifts"), Says: a.says(v, c, total), Action: exportPath(r, v), List: listPath(r.URL, v), Format: formatOf(r),
		ManyPeople: manyPeople, Unknown: c.Unknown,
	}
	for _, wrong := range c.Wrong {
		p.Unknown.Check(r, wrong.Name)
	}
	p.Problems = append(problems, asked.Problems...)
	if p.Factor, err = a.FactorOf(r, v, asked); err != nil {
		return err
	}
	form := p.Page.Form(a.View)
	p.Reason = desk.Field(form, a.View, "reason", r.PostForm.Get("reason"), view.Field{Required: true, Autocomplete: "off"})
	p.Errors = desk.ErrorsOf(form, v.Language, a.View)
	return a.Write(w, desk.StatusOf(p.Problems), "export", v.Language, p)
}

func formatOf(r *http.Request) string {
	if r.PostForm.Get("format") == sheet.XLSX {
		return sheet.XLSX
	}
	return sheet.CSV
}

// exportPost sends a whole list.
func (a *Area) exportPost(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	reason := strings.TrimSpace(r.PostForm.Get("reason"))
	switch n := utf8.RuneCountInString(reason); {
	case n == 0:
		return a.showExport(w, r, v, []fault.Field{{Name: "reason", Phrase: "office.gifts.error.reason"}}, desk.Proof{})
	case n > longestReason:
		return a.showExport(w, r, v, []fault.Field{{Name: "reason", Phrase: "office.gifts.error.long"}}, desk.Proof{})
	}
	asked, err := a.Prove(r, &v, staff.ActFresh, false)
	if err != nil {
		return err
	}
	if !asked.OK {
		return a.showExport(w, r, v, nil, asked)
	}
	e := export{Area: a, visit: v, id: a.NewID(), hash: sha256.New(), format: formatOf(r), reason: reason, people: map[uuid.UUID]bool{}}
	if err := a.reading(r, v, func(_ *sqlx.Tx, c chosen) error { e.chosen = c; return nil }); err != nil {
		return err
	}
	if err := e.record(r.Context(), "gifts.export", e.what()); err != nil {
		return err
	}
	w.Header().Set("Content-Type", sheet.MediaType(e.format))
	w.Header().Set("Content-Disposition", `attachment; filename="gifts.`+e.format+`"`)
	err = a.Read(r, v, func(tx *sqlx.Tx) error { return e.write(r.Context(), tx, w) })
	if done := e.end(r.Context(), err == nil); err == nil {
		err = done
	}
	if err != nil {
		w.Header().Del("Content-Disposition")
	}
	return err // after an error the connection is cut: the file is visibly not whole
}

// export is an export that is being sent.
type export struct {
	*Area
	visit  web.StaffVisit
	chosen chosen
	id     uuid.UUID
	format string
	reason string
	rows   int
	people map[uuid.UUID]bool
	hash   hash.Hash
}

// what returns what the export has, as the audit log says it: not what was searched for, which may be a name.
func (e *export) what() map[string]any {
	c, what := e.chosen, map[string]any{"format": e.format}
	for name, value := range map[string]string{"state": c.State, "source": c.Source, "every": c.Frequency, "search": string(c.As)} {
		if value != "" {
			what[name] = value
		}
	}
	if !c.Month.IsZero() {
		what["month"] = c.Month.Format("2006-01")
	}
	if c.Fund != nil {
		what["fund"] = c.Fund.Code
	}
	return what
}

func (e *export) record(ctx context.Context, act string, after map[string]any) error {
	return staff.InTx(ctx, e.StaffDB, e.visit.Session, func(tx *sqlx.Tx) error { return e.recordTx(ctx, tx, act, after) })
}

func (e *export) recordTx(ctx context.Context, tx *sqlx.Tx, act string, after map[string]any) error {
	return audit.RecordTx(ctx, tx, audit.Act{
		Name: act, EntityID: uuid.NullUUID{UUID: e.visit.Entity.ID, Valid: true}, OrganisationID: e.visit.Scope.OrganisationID,
		ObjectKind: "gift_export", ObjectID: e.id.String(), After: after, Reason: e.reason,
	})
}

// write writes the file to w, and to the hash. Its last row says how many gifts it has.
func (e *export) write(ctx context.Context, tx *sqlx.Tx, w io.Writer) error {
	file := sheet.NewWriter(io.MultiWriter(w, e.hash), e.format)
	table := e.file(e.visit, e.chosen, nil)
	var head []sheet.Cell
	for _, column := range table.Columns {
		head = append(head, sheet.Text(column.Name))
	}
	head = append(head, sheet.Text("currency"))
	if err := file.Row(head...); err != nil {
		return err
	}
	err := giftlist.WalkKeys(ctx, tx, e.chosen.Query, func(g giftlist.Gift) error {
		e.rows++
		e.people[g.DonorID] = true
		return file.Row(desk.FileCells(table, e.fileCells(e.visit, e.chosen, g))...)
	})
	if err != nil {
		return err
	}
	end := make([]sheet.Cell, len(head))
	end[0], end[1] = sheet.Text("end of this file"), sheet.Int(e.rows)
	if err := file.Row(end...); err != nil {
		return err
	}
	return file.Close()
}

// end records what was sent, also if the client has gone, and tells the admins about an export of many people.
func (e *export) end(ctx context.Context, whole bool) error {
	ctx = context.WithoutCancel(ctx)
	after := map[string]any{"rows": e.rows, "people": len(e.people), "whole": whole}
	if whole {
		after["sha256"] = hex.EncodeToString(e.hash.Sum(nil))
	}
	return staff.InTx(ctx, e.StaffDB, e.visit.Session, func(tx *sqlx.Tx) error {
		if err := e.recordTx(ctx, tx, "gifts.exported", after); err != nil || len(e.people) <= manyPeople {
			return err
		}
		return e.Staff.TellOfExportTx(ctx, tx, e.visit.StaffID, e.visit.Entity.ID)
	})
}
