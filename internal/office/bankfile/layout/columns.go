package layout

import (
	"slices"
	"strings"

	"konbit/internal/office/bankfile/field"
)

// guesser guesses the columns of a file by its heading, and by what stands in its rows.
type guesser struct {
	heading []string
	rows    []Row
	width   int
	taken   []int
}

// GuessColumns returns the columns of rows, as far as they can be guessed.
func GuessColumns(heading []string, rows []Row) (c Columns) {
	g := &guesser{heading: heading, rows: rows, width: len(heading)}
	for _, row := range rows {
		g.width = max(g.width, len(row.Cells))
	}
	c.Date = g.take("date", isDate, true)
	c.Debit, c.Credit = g.take("debit", isNumber, false), g.take("credit", isNumber, false)
	if c.Debit == 0 || c.Credit == 0 {
		g.release(c.Debit, c.Credit)
		c.Debit, c.Credit = 0, 0
		c.Amount = g.take("amount", isNumber, false)
	}
	c.Balance = g.take("balance", isNumber, false)
	if c.Amount == 0 && c.Debit == 0 {
		g.byContent(&c)
	}
	c.Status = g.take("status", isWord, false)
	if c.Amount > 0 && !g.signed(c.Amount) {
		c.Sign = g.take("sign", isSign, false)
	}
	c.Currency, c.Account = g.take("currency", isCode, false), g.take("account", isAny, false)
	c.BankID, c.Reference = g.take("id", isAny, false), g.take("reference", isAny, false)
	for _, column := range columnsNamed(heading, "text") {
		if !slices.Contains(g.taken, column) {
			c.Text = append(c.Text, column)
		}
	}
	slices.Sort(c.Text)
	if len(c.Text) == 0 {
		c.Text = g.longest()
	}
	return c
}

func isDate(cell string) bool { _, ok := field.OrdersOf(cell); return ok }

func isNumber(cell string) bool { return field.LooksLikeAmount(cell) && !isDateOfSigns(cell) }

// isDateOfSigns reports whether a cell is a date that is no number: 31.01.2026.
func isDateOfSigns(cell string) bool { return isDate(cell) && strings.Trim(cell, "0123456789") != "" }

func isWord(cell string) bool { return strings.ContainsFunc(cell, isLetter) }

func isLetter(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }

func isCode(cell string) bool { return len(cell) == 3 && isWord(cell) }

func isAny(string) bool { return true }

func isSign(cell string) bool { return SignOf(cell) != 0 }

// debitWords are what banks write beside an amount without a sign that leaves the account; creditWords the opposite.
var (
	debitWords  = []string{"d", "dr", "db", "dbit", "debit", "debito", "débito", "debe", "cargo", "s", "soll", "af", "out", "withdrawal", "-"}
	creditWords = []string{"c", "cr", "crdt", "credit", "credito", "crédito", "haber", "abono", "h", "haben", "bij", "in", "deposit", "+"}
)

// SignOf returns −1 for a word that says debit, 1 for one that says credit, 0 for any other.
func SignOf(word string) int64 {
	switch word = strings.ToLower(word); {
	case slices.Contains(debitWords, word):
		return -1
	case slices.Contains(creditWords, word):
		return 1
	default:
		return 0
	}
}

// Blank returns "" for a cell that has only a dash.
func Blank(cell string) string {
	return map[bool]string{true: "", false: cell}[strings.Trim(cell, "-–— ") == ""]
}

// take returns the first column that has one of the names and whose cells all fit; if any is set, else the first column
// whose cells fit.
func (g *guesser) take(what string, fits func(string) bool, anyColumn bool) int {
	columns := columnsNamed(g.heading, what)
	if anyColumn {
		for column := 1; column <= g.width; column++ {
			columns = append(columns, column)
		}
	}
	for _, column := range columns {
		if !slices.Contains(g.taken, column) && g.share(column, fits) {
			g.taken = append(g.taken, column)
			return column
		}
	}
	return 0
}

func (g *guesser) release(columns ...int) {
	g.taken = slices.DeleteFunc(g.taken, func(n int) bool { return slices.Contains(columns, n) })
}

// share reports whether nine of ten cells of a column that are not empty fit, and at least one does. Rows of another width
// are sums and remarks.
func (g *guesser) share(column int, fits func(string) bool) bool {
	yes, no := 0, 0
	for _, row := range g.rows {
		switch cell := Blank(row.Cell(column)); {
		case cell == "":
		case fits(cell):
			yes++
		default:
			no++
		}
	}
	return yes > 0 && no*9 <= yes
}

// signed reports whether a column has negative numbers.
func (g *guesser) signed(column int) bool {
	return slices.ContainsFunc(g.rows, func(row Row) bool { return strings.ContainsAny(row.Cell(column), "-−(") })
}

// byContent finds amounts without names: one column; two that are never both filled: debit and credit; two or three of which
// the last is always filled: the balance.
func (g *guesser) byContent(c *Columns) {
	var numbers []int
	for column := 1; column <= g.width; column++ {
		decimal := func(cell string) bool { return isNumber(cell) && strings.ContainsAny(cell, ".,") }
		if !slices.Contains(g.taken, column) && g.share(column, decimal) {
			numbers = append(numbers, column)
		}
	}
	if n := len(numbers); n > 1 && c.Balance == 0 && g.filled(numbers[n-1]) && g.filled(numbers[0]) || n > 2 && c.Balance == 0 {
		c.Balance, numbers = numbers[n-1], numbers[:n-1]
	}
	switch {
	case len(numbers) == 2 && !g.filled(numbers[0]) && !g.filled(numbers[1]):
		c.Debit, c.Credit = numbers[0], numbers[1]
	case len(numbers) > 0:
		c.Amount = numbers[0]
	}
	g.taken = append(g.taken, c.Amount, c.Debit, c.Credit, c.Balance)
}

// filled reports whether no cell of a column is empty.
func (g *guesser) filled(column int) bool {
	return !slices.ContainsFunc(g.rows, func(row Row) bool { return !row.Empty() && row.Cell(column) == "" })
}

// longest returns the column with the longest text, none if no column has any.
func (g *guesser) longest() []int {
	best, most := 0, 0
	for column := 1; column <= g.width; column++ {
		length := 0
		for _, row := range g.rows {
			if cell := row.Cell(column); isWord(cell) {
				length += len(cell)
			}
		}
		if length > most && !slices.Contains(g.taken, column) {
			best, most = column, length
		}
	}
	if best == 0 {
		return nil
	}
	return []int{best}
}
