package main

import (
	"context"
	"errors"
	"fmt"
	"html"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"konbit/internal/books/ledger"
	"konbit/internal/office/bankfile"
)

// What staff did about gifts that came without a card: batches, a deposit, the bank's files, a file with gifts that waits.

// paper is a row of a batch. Fields have the names of the page's form.
type paper map[string]string

// offlineWork is what one entity's staff did.
type offlineWork struct {
	entity, finance, typist string
	depositText             string // on the bank's statement; the batch's total is the amount of that line
	fund                    string
	deposited, typed        []paper
	count                   int    // of the checks on the desk: more than are typed
	total                   string // of them
	accept                  bool   // match the first month with the bank
	gifts                   string // a spreadsheet
}

var offlineWorks = []offlineWork{
	{
		entity: "tsne", finance: "clara@staff.example", typist: "june@staff.example", depositText: "DEPOSIT", fund: "general",
		deposited: []paper{
			{"first_name": "Walter", "last_name": "Benning", "email": "walter.benning@donor.example", "amount": "25", "number": "2041",
				"address_line1": "8 Example Lane", "city": "Quincy", "region": "MA", "postal_code": "02169"},
			{"first_name": "Delphine", "last_name": "Auguste", "amount": "30", "number": "517", "address_line1": "77 Example Road", "city": "Brockton",
				"region": "MA", "postal_code": "02301"},
			{"first_name": "Harold", "last_name": "Whitcomb", "email": "harold.whitcomb@donor.example", "amount": "100", "number": "1187",
				"note": "For the Saturday classes"},
			{"first_name": "Teresa", "last_name": "Quiñones", "amount": "20", "method": "cash", "counted_by": "June Abbott, Clara Fonseca"},
			{"first_name": "Ruth", "last_name": "Okonedo", "email": "ruth.okonedo@donor.example", "amount": "50", "number": "3310",
				"fund": "grassroots-leadership-network"},
			{"first_name": "Amadou", "last_name": "Diallo", "amount": "40", "number": "88", "address_line1": "5 Example Court", "city": "Lynn", "region": "MA",
				"postal_code": "01901"},
			{"first_name": "Grace", "last_name": "Lindqvist", "email": "grace.lindqvist@donor.example", "amount": "50", "number": "4402",
				"in_return": "A dinner", "in_return_value": "18"},
		},
		typed: []paper{
			{"first_name": "Ofelia", "last_name": "Marte", "amount": "35", "number": "611", "address_line1": "31 Example Street", "city": "Chelsea",
				"region": "MA", "postal_code": "02150"},
			{"first_name": "Ruth", "last_name": "Okonedo", "donor": "okonedo", "amount": "50", "number": "3318"},
			{"organisation": "Harbor Street Foundation", "donor": "Harbor Street Foundation", "given_by": "foundation", "amount": "1,500", "number": "20077",
				"fund": "immigrant-movement-building"},
			{"first_name": "Peter", "last_name": "Santangelo", "amount": "120", "number": "902", "split[general]": "60",
				"split[immigrant-movement-building]": "60"},
			{"first_name": "Walter", "last_name": "Benning", "donor": "benning", "amount": "52", "number": "2055"},
		},
		count: 6, total: "1,855.00", accept: true,
		gifts: "Date received;First name;Last name;Email;Amount;Check number;Fund;Note\n" +
			"DAY;Sonia;Batista;sonia.batista@donor.example;45.00;1201;general;\nDAY;Miriam;Feld;;25.00;77;general;In memory of Leo\n" +
			"DAY;Jonas;Albright;jonas.albright@donor.example;60.00;5012;grassroots-leadership-network;\n" +
			"DAY;Walter;Benning;walter.benning@donor.example;25.00;2041;general;\nDAY;Lucas;Moreau;lucas.moreau@donor.example;thirty;318;general;\n" +
			"DAY;Eva;Castellanos;eva.castellanos@donor.example;15.00;40;scholarships;\nDAY;Nadia;Rahman;nadia.rahman@donor.example;80.00;2290;general;\n",
	},
	{
		entity: "grassroots-international", finance: "abel@staff.example", typist: "abel@staff.example", depositText: "DEPOSIT", fund: "where-needed-most",
		deposited: []paper{
			{"first_name": "Evelyn", "last_name": "Marsh", "email": "evelyn.marsh@donor.example", "amount": "250", "number": "1440"},
			{"first_name": "Tomás", "last_name": "Iriarte", "amount": "100", "number": "219", "fund": "haiti-dessalines-brigade",
				"address_line1": "14 Example Way", "city": "Somerville", "region": "MA", "postal_code": "02143"},
			{"first_name": "Beatrice", "last_name": "Holm", "email": "beatrice.holm@donor.example", "amount": "75", "number": "6071"},
			{"first_name": "Samuel", "last_name": "Achebe", "amount": "120", "number": "330", "address_line1": "2 Example Terrace", "city": "Medford",
				"region": "MA", "postal_code": "02155"},
			{"organisation": "Baystate Charitable Gift Fund", "donor": "Baystate Charitable Gift Fund", "given_by": "daf", "amount": "150", "number": "70031",
				"fund": "global-peasant-solidarity"},
			{"first_name": "Irene", "last_name": "Costa", "email": "irene.costa@donor.example", "amount": "50", "number": "118"},
			{"first_name": "Paul", "last_name": "Yamada", "email": "paul.yamada@donor.example", "amount": "75", "number": "2903"},
		},
		accept: true,
	},
}

var (
	depositItem = regexp.MustCompile(`name="item" value="([^"]+)"`)
	suggestion  = regexp.MustCompile(`name="suggestion" value="([^"]+)"`)
	errorText   = regexp.MustCompile(`<p class="error"[^>]*>([^<]*)`)
)

// workAtTheMail does what came by mail and by bank before the demo's visitor came.
func (d *demo) workAtTheMail(ctx context.Context) error {
	for _, w := range offlineWorks {
		if err := d.workOf(ctx, w); err != nil {
			return fmt.Errorf("%s: %w", w.entity, err)
		}
	}
	return nil
}

func (d *demo) workOf(ctx context.Context, w offlineWork) error {
	finance, err := d.signIn(ctx, w.finance)
	if err != nil {
		return err
	}
	typist := finance
	if w.typist != w.finance {
		if typist, err = d.signIn(ctx, w.typist); err != nil {
			return err
		}
	}
	line, err := d.bankLine(w.entity, w.depositText)
	if err != nil {
		return err
	}
	office := "/office/" + w.entity
	batch, err := typist.typeBatch(ctx, office, w.fund, line.BookedOn.String(), len(w.deposited), dollars(line.Amount), w.deposited)
	if err != nil {
		return err
	}
	if err := finance.postBatch(ctx, batch); err != nil {
		return err
	}
	if err := finance.deposit(ctx, office, bankAccounts[w.entity].Slug, line); err != nil {
		return err
	}
	if w.accept {
		if err := d.readBankFiles(ctx, finance, office, bankAccounts[w.entity].Slug, line.BookedOn); err != nil {
			return err
		}
	}
	if len(w.typed) > 0 {
		boston, err := time.LoadLocation("America/New_York") // of both entities, in demo.yaml
		if err != nil {
			return err
		}
		today := ledger.DateOf(d.cards.Now(), boston).String()
		if _, err := typist.typeBatch(ctx, office, w.fund, today, w.count, w.total, w.typed); err != nil {
			return err
		}
	}
	if w.gifts != "" {
		day := d.cards.Now().UTC().AddDate(0, 0, -3)
		for day.Day() < 13 { // so that the file shows whether the month or the day comes first
			day = day.AddDate(0, 0, -1)
		}
		return finance.upload(ctx, office+"/imports", "gifts-by-mail.csv", []byte(strings.ReplaceAll(w.gifts, "DAY", day.Format("01/02/2006"))))
	}
	return nil
}

// dollars returns minor units as people type them.
func dollars(minor int64) string { return fmt.Sprintf("%d.%02d", minor/100, minor%100) }

// bankLine returns the line of the bank's statement with a text and money that came.
func (d *demo) bankLine(entity, text string) (bankfile.Line, error) {
	begun := time.Unix(d.cards.HistoryProgress().From, 0).UTC()
	st, err := d.cards.BankStatement(bankAccounts[entity].Slug, ledger.DateOf(begun, time.UTC), ledger.DateOf(d.cards.Now(), time.UTC))
	if err != nil {
		return bankfile.Line{}, err
	}
	for _, l := range st.Lines {
		if l.Text == text && l.Amount > 0 {
			return l, nil
		}
	}
	return bankfile.Line{}, fmt.Errorf("no line %q is on the statement", text)
}

// typeBatch begins a batch and types its rows. It returns the batch's address.
func (b *browser) typeBatch(ctx context.Context, office, fund, day string, count int, total string, rows []paper) (string, error) {
	page, _, err := b.ask(ctx, "GET", office+"/batches", nil)
	if err != nil {
		return "", err
	}
	head := hiddenOf(page, `class="batch-head"`)
	for name, value := range map[string]string{"received_on": day, "count": strconv.Itoa(count), "total": total, "fund": fund} {
		head.Set(name, value)
	}
	path, err := b.where(ctx, office+"/batches", head)
	if err != nil {
		return "", err
	}
	for _, row := range rows {
		if err := b.typeRow(ctx, path, row); err != nil {
			return "", fmt.Errorf("row of %s: %w", row["last_name"]+row["organisation"], err)
		}
	}
	return path, nil
}

// typeRow types a row as its page asks for it: the donor first; then, of a new one, the name too.
func (b *browser) typeRow(ctx context.Context, path string, row paper) error {
	page, status, err := b.ask(ctx, "GET", path, nil)
	for try := 0; try < 4 && err == nil; try++ {
		form := hiddenOf(page, `class="batch-row"`)
		form.Set("method", "check")
		form.Set("given_by", "person")
		form.Set("do", "row")
		form.Set("donor", strings.TrimSpace(row["first_name"]+" "+row["last_name"]))
		known := row["donor"] != "" && row["organisation"] == ""
		for name, value := range row {
			if known && (name == "first_name" || name == "last_name") {
				continue
			}
			form.Set(name, value)
		}
		before := strings.Count(page, "<tr")
		if page, status, err = b.ask(ctx, "POST", path, form); err == nil && status == 200 && strings.Count(page, "<tr") > before {
			return nil
		}
	}
	if err != nil {
		return err
	}
	return fmt.Errorf("it is answered by %d: %s", status, strings.Join(slices.Concat(errorText.FindAllStringSubmatch(page, -1)...), " "))
}

func (b *browser) postBatch(ctx context.Context, path string) error {
	page, _, err := b.ask(ctx, "GET", path, nil)
	if err != nil {
		return err
	}
	_, err = b.submit(ctx, path, url.Values{"session": sessionOf(page), "do": {"post"}})
	return err
}

// deposit ticks all items that wait, and closes the deposit on the day of the bank's line.
func (b *browser) deposit(ctx context.Context, office, account string, line bankfile.Line) error {
	page, _, err := b.ask(ctx, "GET", office+"/deposits", nil)
	if err != nil {
		return err
	}
	path, err := b.where(ctx, office+"/deposits", hiddenOf(page, `action="[^"]*/deposits"`))
	if err != nil {
		return err
	}
	if page, _, err = b.ask(ctx, "GET", path, nil); err != nil {
		return err
	}
	form := hiddenOf(page, `id="items"`)
	for _, item := range depositItem.FindAllStringSubmatch(page, -1) {
		form.Add("item", item[1])
	}
	form.Set("do", "save")
	if page, err = b.submit(ctx, path, form); err != nil {
		return err
	}
	form = hiddenOf(page, `class="narrow"`)
	if form.Get("total") != strconv.FormatInt(line.Amount, 10) {
		return fmt.Errorf("the deposit has %s, the bank %d", form.Get("total"), line.Amount)
	}
	form.Set("account", account)
	form.Set("deposited_on", line.BookedOn.String())
	form.Set("do", "close")
	_, err = b.submit(ctx, path, form)
	return err
}

// readBankFiles chooses the bank's files of the history and stores them, the oldest first, and accepts all sure suggestions of the month of a day.
func (d *demo) readBankFiles(ctx context.Context, b *browser, office, slug string, day ledger.Date) error {
	files := office + "/bank/" + slug + "/files"
	names, err := filepath.Glob(filepath.Join(d.dir, bankDir, slug+"-*.ofx"))
	if err != nil || len(names) == 0 {
		return errors.Join(err, errors.New("the bank has no files"))
	}
	slices.Sort(names)
	for _, name := range names {
		content, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if err := b.upload(ctx, files, filepath.Base(name), content); err != nil {
			return err
		}
		page, _, err := b.ask(ctx, "GET", files, nil)
		if err != nil {
			return err
		}
		form := hiddenOf(page, `class="row-act"`)
		form.Set("do", "store")
		if _, err := b.submit(ctx, files, form); err != nil {
			return err
		}
	}
	lines := office + "/bank/" + slug + "/lines?month=" + day.String()[:7]
	page, _, err := b.ask(ctx, "GET", lines, nil)
	if err != nil {
		return err
	}
	sure := suggestion.FindAllStringSubmatch(page, -1)
	if len(sure) == 0 {
		return nil
	}
	form := url.Values{"session": sessionOf(page), "do": {"accept_all"}}
	for _, s := range sure {
		form.Add("suggestion", html.UnescapeString(s[1]))
	}
	_, err = b.submit(ctx, lines, form)
	return err
}
