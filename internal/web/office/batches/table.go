package batches

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"konbit/internal/office/offline"
	"konbit/internal/platform/money"
	"konbit/internal/view"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// table returns the rows of a batch.
func (a *Area) table(v web.StaffVisit, b offline.Batch, rows []offline.Row, names map[uuid.UUID]string, refs map[int]string) desk.Table {
	t := desk.Table{Caption: a.say(v, "office.batch.rows"), Columns: []desk.Column{
		{Name: "row", Label: a.say(v, "office.batch.row")}, {Name: "donor", Label: a.say(v, "office.batch.field.donor"), Wide: true},
		{Name: "amount", Label: a.say(v, "office.batch.field.amount"), Number: true}, {Name: "number", Label: a.say(v, "office.batch.field.number")},
		{Name: "method", Label: a.say(v, "office.batch.field.method")}, {Name: "fund", Label: a.say(v, "office.batch.field.fund"), Wide: true},
		{Name: "note", Label: a.say(v, "office.batch.field.note"), Wide: true},
	}}
	seen := map[string]int{}
	for _, row := range rows {
		name := names[row.DonorID.UUID]
		if !row.DonorID.Valid {
			of := row
			if i := slices.IndexFunc(rows, func(other offline.Row) bool { return other.N == row.SameAs }); i >= 0 {
				of = rows[i]
			}
			name = matchOfRow(of).Name
		}
		donor := desk.Cell{Text: cmp.Or(name, row.Typed["donor"], a.say(v, "office.batch.no_name"))}
		if !row.DonorID.Valid && b.IsOpen() {
			donor.Soft = a.say(v, "office.batch.new_donor")
		}
		amount := desk.AmountCell(money.New(row.Minor, b.Currency))
		if row.Minor == 0 {
			amount = desk.Cell{Text: a.say(v, "office.batch.no_value")}
		}
		number := desk.Cell{Text: row.Number}
		if row.Number != "" {
			key := row.Number + " " + strconv.FormatInt(row.Minor, 10)
			if before, twice := seen[key]; twice {
				number.Soft = a.say(v, "office.batch.twin", "row", before)
			}
			seen[key] = row.N
		}
		method := desk.Cell{Text: a.say(v, "office.batch.method."+string(row.Method)), File: string(row.Method)}
		if row.GivenBy != offline.Person {
			method.Soft = a.say(v, "office.batch.given_by."+string(row.GivenBy))
		}
		r := desk.Row{Cells: []desk.Cell{{Text: strconv.Itoa(row.N)}, donor, amount, number, method, a.fundCell(v, b, row), {Text: row.Typed["note"]}}}
		if b.IsOpen() {
			r.URL = desk.WithQuery(pathOf(v, b.N), "row", strconv.Itoa(row.N)) + "#donor"
		} else if ref := refs[row.N]; ref != "" {
			r.URL = v.Path("gifts/" + ref)
		}
		t.Rows = append(t.Rows, r)
	}
	t.Total = []desk.Cell{{}, {Text: a.View.PhraseN(v.Language, "office.batch.count", b.Rows)}, desk.AmountCell(money.New(b.SumMinor, b.Currency)), {}, {}, {},
		{}}
	return t
}

func (a *Area) fundCell(v web.StaffVisit, b offline.Batch, row offline.Row) desk.Cell {
	var names []string
	for _, part := range row.Parts {
		f, err := v.Catalog.Fund(part.FundID)
		if err != nil {
			continue
		}
		name := f.Name.In(v.Language)
		if len(row.Parts) > 1 {
			name += " " + money.New(part.Minor, b.Currency).FormatExact(string(v.Language))
		}
		names = append(names, name)
	}
	return desk.Cell{Text: strings.Join(names, "; ")}
}

// postForm returns the form that posts, with what it books by fund.
func (a *Area) postForm(v web.StaffVisit, b offline.Batch, rows []offline.Row, form view.Form, in postForm) *PostForm {
	sums, order, inReturn := map[uuid.UUID]int64{}, []uuid.UUID{}, int64(0)
	for _, row := range rows {
		inReturn += row.ReturnMinor
		for _, part := range row.Parts {
			if _, known := sums[part.FundID]; !known {
				order = append(order, part.FundID)
			}
			sums[part.FundID] += part.Minor
		}
	}
	p := &PostForm{
		Agrees: b.Agrees(), Button: a.View.PhraseN(v.Language, "office.batch.post", b.Rows, "amount", money.New(b.SumMinor,
			b.Currency).FormatExact(string(v.Language))),
		Reason: a.field(v, form, "reason", in.reason, view.Field{Required: true}),
		Funds: desk.Table{Caption: a.say(v, "office.batch.books"), Columns: []desk.Column{
			{Name: "fund", Label: a.say(v, "office.batch.field.fund"), Wide: true}, {Name: "amount", Label: a.say(v, "office.batch.field.amount"),
				Number: true},
		}},
	}
	for _, id := range order {
		name := id.String()
		if f, err := v.Catalog.Fund(id); err == nil {
			name = f.Name.In(v.Language)
		}
		p.Funds.Rows = append(p.Funds.Rows, desk.Row{Cells: []desk.Cell{{Text: name}, desk.AmountCell(money.New(sums[id], b.Currency))}})
	}
	if inReturn > 0 {
		p.Funds.Rows = append(p.Funds.Rows, desk.Row{Cells: []desk.Cell{{Text: a.say(v, "office.batch.in_return")},
			desk.AmountCell(money.New(inReturn, b.Currency))}})
	}
	p.Funds.Total = []desk.Cell{{Text: a.say(v, "office.batch.sum")}, desk.AmountCell(money.New(b.SumMinor, b.Currency))}
	return p
}
