package bankfile_test

import (
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"konbit/internal/books/ledger"
	"konbit/internal/office/bankfile"
)

// posted is a line at the bank, and the time at which it appeared there: the number of the day plus how late it came.
type posted struct {
	line bankfile.Line
	day  int
	at   int
}

// month returns the lines of a month as the bank has them in the end. Few texts and amounts, so that many lines are equal.
func month(r *rand.Rand) (lines []posted) {
	for n := range 30 {
		for range r.IntN(5) {
			late := 0
			if r.IntN(6) == 0 {
				late = 1 + r.IntN(4)
			}
			lines = append(lines, posted{day: n, at: n + late, line: bankfile.Line{BookedOn: day(n), Amount: []int64{5000, 5000, 2500, -1200}[r.IntN(4)],
				Text: []string{"ZELLE FROM ANA", "ZELLE FROM BO", "CHECK"}[r.IntN(3)], BankID: "F" + strconv.Itoa(len(lines))}})
		}
	}
	return lines
}

// download returns the lines of some days that had been posted at a time, in any order, with the ids that the bank feels like:
// the line's own, a new one at each download, or the same one for all.
func download(r *rand.Rand, bank []posted, from, to, at int) (file []bankfile.Line) {
	way := r.IntN(4)
	for _, p := range bank {
		if p.day < from || p.day > to || p.at > at {
			continue
		}
		line := p.line
		switch way {
		case 1:
			line.BankID = "D" + strconv.Itoa(r.IntN(1_000_000))
		case 2:
			line.BankID = "0"
		case 3:
			line.BankID = "F" + strconv.Itoa(r.IntN(20)) // of other lines
		}
		file = append(file, line)
	}
	if r.IntN(2) == 0 {
		r.Shuffle(len(file), func(i, j int) { file[i], file[j] = file[j], file[i] })
	}
	if r.IntN(3) == 0 {
		file = append(file, bankfile.Line{BookedOn: day(to), Amount: 999, Text: "PENDING", Pending: true})
	}
	return file
}

// downloads returns files that together have every line: cut, overlapping, repeated, early ones that lack late lines, shuffled.
func downloads(r *rand.Rand, bank []posted) (files [][]bankfile.Line) {
	const end = 40
	for from := 0; from < 30; {
		to := min(29, from+r.IntN(10))
		files = append(files, download(r, bank, max(0, from-r.IntN(6)), to, end))
		from = to + 1
	}
	for range r.IntN(12) {
		from := r.IntN(30)
		to := min(29, from+r.IntN(30))
		at := from + r.IntN(end-from)
		files = append(files, download(r, bank, from, to, at))
	}
	for range r.IntN(4) {
		files = append(files, files[r.IntN(len(files))])
	}
	r.Shuffle(len(files), func(i, j int) { files[i], files[j] = files[j], files[i] })
	return files
}

type counted struct {
	day    ledger.Date
	amount int64
	text   string
}

func count(lines []bankfile.Line) map[counted]int {
	n := map[counted]int{}
	for _, line := range lines {
		n[counted{line.BookedOn, line.Amount, line.Text}]++
	}
	return n
}

// TestStoredLinesAreThoseOfTheBank: random months of files, cut, overlapping, repeated, late and shuffled, with equal lines on
// one day and ids that are repeated or changed. The stored lines are those the bank had, none twice, none lost.
// KONBIT_MONTHS=1000 tries more months than the 100 of every run.
func TestStoredLinesAreThoseOfTheBank(t *testing.T) {
	t.Parallel()
	months := 100
	if text := os.Getenv("KONBIT_MONTHS"); text != "" {
		n, err := strconv.Atoi(text)
		require.NoError(t, err)
		months = n
	}
	twins := 0
	for seed := range months {
		r := rand.New(rand.NewPCG(uint64(seed), 2))
		bank := month(r)
		var whole, stored []bankfile.Line
		for _, p := range bank {
			whole = append(whole, p.line)
		}
		most := map[counted]int{}
		for _, file := range downloads(r, bank) {
			d := bankfile.Compare(stored, file)
			booked := 0
			for _, line := range file {
				if !line.Pending {
					booked++
				}
			}
			require.Equal(t, booked, len(d.New)+len(d.Known), "each line is new or known")
			require.Len(t, d.Pending, len(file)-booked)
			stored = append(stored, d.New...)
			for key, n := range count(slices.DeleteFunc(slices.Clone(file), func(l bankfile.Line) bool { return l.Pending })) {
				most[key] = max(most[key], n)
			}
			require.Equal(t, most, count(stored), "seed %d: as many as any one file had at most", seed)
		}
		require.Equal(t, count(whole), count(stored), "seed %d", seed)
		numbers := map[counted]map[int]bool{}
		for _, line := range stored {
			key := counted{line.BookedOn, line.Amount, line.Text}
			if numbers[key] == nil {
				numbers[key] = map[int]bool{}
			}
			require.False(t, numbers[key][line.Nth], "seed %d: two equal lines have one number", seed)
			numbers[key][line.Nth] = true
			require.LessOrEqual(t, line.Nth, count(whole)[key])
		}
		for _, n := range count(whole) {
			twins += n - 1
		}
	}
	require.Greater(t, twins, months, "the months have equal lines")
}

func line(n int, amount int64, text, id string) bankfile.Line {
	return bankfile.Line{BookedOn: day(n), Amount: amount, Text: text, BankID: id}
}

func TestTwoEqualGiftsOfADay(t *testing.T) {
	t.Parallel()
	first := []bankfile.Line{line(1, 5000, "ZELLE", "A"), line(1, 5000, "ZELLE", "B")}
	d := bankfile.Compare(nil, first)
	require.Len(t, d.New, 2)
	require.Equal(t, []int{1, 2}, []int{d.New[0].Nth, d.New[1].Nth})
	again := bankfile.Compare(d.New, first)
	require.Empty(t, again.New, "a second download adds none")
	require.Empty(t, again.Doubts)

	late := bankfile.Compare(d.New, []bankfile.Line{line(1, 5000, "ZELLE", "C"), line(1, 5000, "ZELLE", "A"), line(1, 5000, "ZELLE", "B")})
	require.Len(t, late.New, 1)
	require.Equal(t, "C", late.New[0].BankID, "the id chooses which line is the late one")
	require.Equal(t, 3, late.New[0].Nth)

	unnumbered := bankfile.Compare(first, append(first, line(1, 5000, "ZELLE", "C")))
	require.Equal(t, 3, unnumbered.New[0].Nth, "stored lines without numbers are counted")
}

func TestDoubts(t *testing.T) {
	t.Parallel()
	stored := bankfile.Compare(nil, []bankfile.Line{line(1, 5000, "ZELLE", "A"), line(2, -700, "POS COFFEE", "B")}).New

	part := bankfile.Compare(stored, []bankfile.Line{line(1, 5000, "ZELLE", "Z")})
	require.Empty(t, part.New)
	require.Len(t, part.Doubts, 1, "a file of a part of the day, or a bank that changes ids")
	require.Equal(t, bankfile.OtherID, part.Doubts[0].Kind)

	text := bankfile.Compare(stored, []bankfile.Line{line(2, -700, "COFFEE HOUSE INC", "B")})
	require.Len(t, text.New, 1)
	require.Len(t, text.Doubts, 1)
	require.Equal(t, bankfile.OtherText, text.Doubts[0].Kind)
	require.Equal(t, "POS COFFEE", text.Doubts[0].Like.Text)

	both := bankfile.Compare(stored, []bankfile.Line{line(2, -700, "COFFEE HOUSE INC", "B"), line(2, -700, "POS COFFEE", "B")})
	require.Len(t, both.New, 1)
	require.Empty(t, both.Doubts, "the file has the stored line too")
}
