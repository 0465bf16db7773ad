package payouts

import (
	"strings"

	"konbit/internal/office/payoutlist"
	"konbit/internal/platform/money"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// linesTable lists transactions of a payout, with a row for each fund. The amounts of a transaction stand in its first row, so that
// a column adds up.
func (a *Area) linesTable(v web.StaffVisit, of read) desk.Table {
	t := desk.Table{Caption: a.say(v, "lines.caption")}
	for _, name := range []string{"at", "what", "transaction", "gross", "fee", "net", "fund", "in_fund"} {
		number := name == "gross" || name == "fee" || name == "net" || name == "in_fund"
		t.Columns = append(t.Columns, desk.Column{Name: name, Label: a.say(v, "column."+name), Number: number, Wide: name == "transaction"})
	}
	for _, l := range of.lines {
		parts := of.parts[l.ID]
		cells := []desk.Cell{{}, a.whatOf(v, of, l), {Text: l.ID}, {}, {}, {}, {}, {}}
		if l.Known() {
			cells[0].At = l.CreatedAt.In(desk.ZoneOf(v))
			for i, minor := range []int64{l.Gross, -l.Fee, l.Net} {
				cells[3+i] = desk.AmountCell(money.New(minor, l.Currency))
			}
		}
		for i, part := range parts {
			if i > 0 {
				cells = []desk.Cell{{}, {}, {}, {}, {}, {}, {}, {}}
			}
			if fund, err := v.Catalog.Fund(part.FundID); err == nil {
				cells[6] = desk.Cell{Text: fund.Name.In(v.Language), File: fund.Code}
			}
			cells[7] = desk.AmountCell(money.New(part.Amount, of.Currency))
			t.Rows = append(t.Rows, desk.Row{Cells: cells})
		}
		if len(parts) == 0 {
			t.Rows = append(t.Rows, desk.Row{Cells: cells})
		}
	}
	return t
}

// whatOf says what a transaction is, and leads to its page: the gift that a charge or a refund is of, the dispute, the payout that
// came back.
func (a *Area) whatOf(v web.StaffVisit, of read, l payoutlist.Line) desk.Cell {
	cell := desk.Cell{Text: a.typeOf(v, l.Type), File: l.Type}
	gift := of.refs[l.ChargeRef]
	switch {
	case !l.Known():
	case strings.HasPrefix(l.SourceID, "dp_"), strings.HasPrefix(l.SourceID, "du_"):
		cell.Text, cell.URL = a.say(v, "type.dispute_back"), v.Path("disputes/"+l.SourceID)
		if l.Gross < 0 {
			cell.Text = a.say(v, "type.dispute")
		}
		cell.File = strings.TrimSpace("dispute " + gift)
	case strings.HasPrefix(l.SourceID, "po_"):
		cell.URL, cell.File = v.Path("payouts/"+l.SourceID), l.Type+" "+l.SourceID
	case gift != "":
		cell.URL, cell.File = v.Path("gifts/"+gift), l.Type+" "+gift
	case l.ChargeRef != "":
		cell.Soft, cell.URL = a.say(v, "no_gift"), v.Path("suspense")
	}
	return cell
}
