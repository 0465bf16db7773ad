package bank

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/office/bank"
	"konbit/internal/platform/money"
	"konbit/internal/workshop/testkit/office"
	"konbit/internal/workshop/testkit/program"
)

// AddLine stores a file with one line of today, which no other line's text has, and returns the line.
func AddLine(t testing.TB, h *program.Program, by *office.Person, account bank.Account, minor int64, text string) bank.Part {
	t.Helper()
	entity, err := h.CurrentCatalog().EntityByID(account.EntityID)
	require.NoError(t, err)
	day := time.Now().In(entity.Location()).Format("20060102") // as pages have it: it may be another month than in UTC
	raw := []byte("OFXHEADER:100\r\nDATA:OFXSGML\r\nVERSION:102\r\nENCODING:USASCII\r\nCHARSET:1252\r\n\r\n<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS><CURDEF>USD" +
		"<BANKACCTFROM><BANKID>1<ACCTID>994017<ACCTTYPE>CHECKING</BANKACCTFROM><BANKTRANLIST><DTSTART>" + day + "<DTEND>" + day +
		fmt.Sprintf("<STMTTRN><TRNTYPE>OTHER<DTPOSTED>%s<TRNAMT>%s<FITID>%s<NAME>%s</STMTTRN>", day, money.New(minor, "USD").Decimal(), uuid.NewString(),
			text) +
		"</BANKTRANLIST></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>")
	require.NoError(t, by.InTx(t, h.DB.Server, func(tx *sqlx.Tx) error {
		r, err := bank.ReadFile(t.Context(), tx, account, "file.ofx", raw, nil)
		if err != nil {
			return err
		}
		_, err = h.Bank.StoreFileTx(t.Context(), tx, h.CurrentCatalog(), r)
		return err
	}))
	ids := h.Lines(`SELECT id::text FROM bank_line WHERE text = $1 AND account_id = $2`, text, account.ID)
	require.Len(t, ids, 1)
	return bank.Part{LineID: uuid.MustParse(ids[0])}
}
