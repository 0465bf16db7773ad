package bank

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/office/bank"
	"konbit/internal/office/bankfile"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/phrase"
	"konbit/internal/view"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// FilesPage is the files of an account: those that wait to be stored, each with what it would add, and those that were.
type FilesPage struct {
	desk.Page
	Account bank.Account
	Title   string
	Back    string
	Action  string // empty: the reader stores none
	Waiting []Waiting
	List    desk.List
	Errors  []view.FormError
}

// Waiting is a file that waits to be stored.
type Waiting struct {
	ID, Name string
	Format   string
	Days     string
	Says     []string // what is new, known and pending
	Warnings []string // what is missing or does not balance
	Refused  string   // why it cannot be stored; empty: it can
	Stored   bool     // the same file was stored
	New      desk.Table
	Layout   *LayoutForm // a CSV file of which a person must say what the columns are
}

// shownLines is how many new lines of a file are shown before it is stored.
const shownLines = 20

func (a *Area) filesGet(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	return a.writeFiles(w, r, v, nil)
}

func (a *Area) writeFiles(w http.ResponseWriter, r *http.Request, v web.StaffVisit, problems []fault.Field) error {
	p := FilesPage{Page: a.PageOf(r, v, "bank")}
	p.Problems = problems
	var place struct{ Before time.Time }
	if !desk.ReadCursor(r, &place) {
		place.Before = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	var stored []bank.StoredFile
	err := a.Read(r, v, func(tx *sqlx.Tx) (err error) {
		if p.Account, err = a.account(r.Context(), tx, r, v); err != nil {
			return err
		}
		if a.mayAct(v) {
			if err := a.readWaiting(r, tx, v, &p); err != nil {
				return err
			}
		}
		stored, err = bank.FilesOf(r.Context(), tx, p.Account.ID, place.Before, desk.PageSize+1)
		return err
	})
	if err != nil {
		return err
	}
	p.Title, p.Back = a.say(v, "office.bank.files.title", "name", p.Account.Name), pathOf(v, p.Account, "")
	if a.mayAct(v) {
		p.Action = pathOf(v, p.Account, "/files")
	}
	p.List = a.storedList(r, v, stored)
	if done, err := desk.WriteFile(w, r, "bank-files", p.List.Table); done || err != nil {
		return err
	}
	p.Errors = desk.ErrorsOf(p.Page.Form(a.View), v.Language, a.View)
	return a.Write(w, desk.StatusOf(problems), "bank_files", v.Language, p)
}

func (a *Area) storedList(r *http.Request, v web.StaffVisit, stored []bank.StoredFile) desk.List {
	l := desk.List{Says: a.say(v, "office.bank.files.says"), Empty: a.say(v, "office.bank.files.empty"), CSV: desk.With(r.URL, "format", "csv"),
		Table: desk.Table{Caption: a.say(v, "office.bank.files.stored"), Columns: []desk.Column{{Name: "stored", Label: a.say(v, "office.bank.files.at")},
			{Name: "format", Label: a.say(v, "office.bank.files.format")}, {Name: "from", Label: a.say(v, "office.bank.files.from")},
			{Name: "until", Label: a.say(v, "office.bank.files.until")}, {Name: "lines", Label: a.say(v, "office.bank.files.lines"), Number: true},
			{Name: "added", Label: a.say(v, "office.bank.files.added"), Number: true}}}}
	if len(stored) > desk.PageSize {
		stored = stored[:desk.PageSize]
		l.Next = desk.With(r.URL, "after", desk.Cursor(struct{ Before time.Time }{stored[desk.PageSize-1].StoredAt}))
	}
	for _, f := range stored {
		row := desk.Row{Cells: []desk.Cell{{At: a.Moment(f.StoredAt, desk.ZoneOf(v))}, {Text: a.formatName(f.Format)}, {}, {},
			{Text: strconv.Itoa(f.Lines)}, {Text: strconv.Itoa(f.Added)}}}
		if f.From != nil && f.Until != nil {
			row.Cells[2], row.Cells[3] = desk.Cell{Day: *f.From}, desk.Cell{Day: *f.Until}
		}
		l.Table.Rows = append(l.Table.Rows, row)
	}
	return l
}

func (a *Area) formatName(format string) string {
	return map[string]string{"csv": "CSV", "ofx": "OFX", "camt.053": "camt.053", "bai2": "BAI2"}[format]
}

// readWaiting reads the files that wait, as they would be stored now.
func (a *Area) readWaiting(r *http.Request, tx *sqlx.Tx, v web.StaffVisit, p *FilesPage) error {
	uploads, err := bank.UploadsOf(r.Context(), tx, p.Account.ID)
	if err != nil {
		return err
	}
	for _, u := range uploads {
		shown := Waiting{ID: u.ID.String(), Name: u.Name}
		layout, err := u.Layout()
		if err != nil {
			return err
		}
		reading, err := bank.ReadFile(r.Context(), tx, p.Account, u.Name, u.Content, layout)
		ask, order := bankfile.AsAsk(err)
		var known *fault.Error
		switch {
		case ask != nil || order != nil:
			shown.Layout = a.layoutForm(v, ask, order)
		case err == nil:
			a.show(v, &shown, reading)
		case errors.As(err, &known):
			shown.Refused = a.View.ErrorText(v.Language, fault.Field{Phrase: known.Phrase, Args: known.Args})
		default:
			return err
		}
		p.Waiting = append(p.Waiting, shown)
	}
	return nil
}

// show says what a file would add.
func (a *Area) show(v web.StaffVisit, w *Waiting, r bank.Reading) {
	w.Format, w.Stored = a.formatName(string(r.File.Format)), r.StoredAt != nil
	if r.Days.From.Year > 0 {
		w.Days = a.say(v, "office.bank.files.days", "from", phrase.Date(v.Language, midnight(r.Days.From)),
			"until", phrase.Date(v.Language, midnight(r.Days.Until)))
	}
	count := func(key string, n int) {
		if n > 0 {
			w.Says = append(w.Says, a.View.PhraseN(v.Language, "office.bank.files."+key, n))
		}
	}
	count("new", len(r.Decision.New))
	count("known", len(r.Decision.Known))
	count("pending", len(r.Decision.Pending))
	count("before", r.Before)
	count("doubt", len(r.Decision.Doubts))
	if len(r.Decision.New) == 0 {
		w.Says = append(w.Says, a.say(v, "office.bank.files.nothing"))
	}
	for _, warning := range r.Warnings {
		args := fault.Args{}
		for name, value := range warning.Args {
			args[name] = value
			if at, err := timeOf(fmt.Sprint(value)); err == nil {
				args[name] = phrase.Date(v.Language, at)
			}
		}
		w.Warnings = append(w.Warnings, a.View.ErrorText(v.Language, fault.Field{Phrase: warning.Phrase, Args: args}))
	}
	w.New = a.linesTable(v, r.Account, r.Decision.New)
	if len(r.Decision.Pending) > 0 {
		pending := a.linesTable(v, r.Account, r.Decision.Pending)
		for i := range pending.Rows {
			pending.Rows[i].Cells[1].Soft = a.say(v, "office.bank.files.is_pending")
		}
		w.New.Rows = append(w.New.Rows, pending.Rows...)
	}
}

func (a *Area) linesTable(v web.StaffVisit, account bank.Account, lines []bankfile.Line) desk.Table {
	t := desk.Table{Caption: a.say(v, "office.bank.files.new_lines"), Columns: []desk.Column{{Name: "day", Label: a.say(v, "office.today.day")},
		{Name: "text", Label: a.say(v, "office.bank.text"), Wide: true}, {Name: "amount", Label: a.say(v, "office.today.amount"), Number: true}}}
	for _, l := range lines[:min(len(lines), shownLines)] {
		day := desk.Cell{}
		if l.BookedOn.Year > 0 {
			day.Day = midnight(l.BookedOn)
		}
		t.Rows = append(t.Rows, desk.Row{Cells: []desk.Cell{day, {Text: l.Text}, desk.AmountCell(account.Amount(l.Amount))}})
	}
	return t
}

// filesPost takes files that a person chose, or stores or forgets one that waits, or takes what a person said of its columns.
func (a *Area) filesPost(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	var account bank.Account
	err := a.Read(r, v, func(tx *sqlx.Tx) (err error) {
		account, err = a.account(r.Context(), tx, r, v)
		return err
	})
	if err != nil {
		return err
	}
	id, idErr := uuid.Parse(r.PostForm.Get("upload"))
	switch do := r.PostForm.Get("do"); {
	case do == "store" && idErr == nil:
		err = a.storeUpload(r, v, account, id)
	case do == "layout" && idErr == nil:
		err = a.setLayout(r, v, account, id)
	case do == "forget" && idErr == nil:
		err = a.write(r, v, func(tx *sqlx.Tx) error { return a.Bank.ForgetUploadTx(r.Context(), tx, account.ID, id) })
	default:
		err = a.keepFiles(r, v, account)
	}
	if problems := refused(err); problems != nil {
		return a.writeFiles(w, r, v, problems)
	}
	if err != nil {
		return err
	}
	return desk.Redirect(w, r, pathOf(v, account, "/files"))
}

// keepFiles keeps the files of a form until they are stored or forgotten. The same file again, of the same form, is the same one.
func (a *Area) keepFiles(r *http.Request, v web.StaffVisit, account bank.Account) error {
	n := 0
	for {
		f, err := web.NextFile(r)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		content, err := io.ReadAll(f)
		if err != nil {
			return err
		}
		if len(content) == 0 {
			continue
		}
		n++
		name := strings.TrimSpace(f.Name)
		err = a.write(r, v, func(tx *sqlx.Tx) error {
			id := uuid.NewSHA1(account.ID, append([]byte(v.StaffID.String()+" "), content...))
			return a.Bank.KeepUploadTx(r.Context(), tx, account, id, name, content)
		})
		if err != nil {
			return err
		}
	}
	if n == 0 {
		return fault.New(fault.Invalid, "office.bank.files.choose", nil)
	}
	return nil
}

// storeUpload stores a file that waits. One that was stored is gone already.
func (a *Area) storeUpload(r *http.Request, v web.StaffVisit, account bank.Account, id uuid.UUID) error {
	return a.write(r, v, func(tx *sqlx.Tx) error {
		uploads, err := bank.UploadsOf(r.Context(), tx, account.ID)
		if err != nil {
			return err
		}
		for _, u := range uploads {
			if u.ID != id {
				continue
			}
			layout, err := u.Layout()
			if err != nil {
				return err
			}
			reading, err := bank.ReadFile(r.Context(), tx, account, u.Name, u.Content, layout)
			if err != nil {
				return err
			}
			if _, err = a.Bank.StoreFileTx(r.Context(), tx, v.Catalog, reading); err != nil && !errors.Is(err, bank.ErrStored) {
				return err
			}
			return a.Bank.ForgetUploadTx(r.Context(), tx, account.ID, id)
		}
		return nil
	})
}
