package stripefake

import (
	"fmt"
	"strconv"
	"strings"
)

// pageText contains the texts of the hosted page in one language.
type pageText struct {
	Title, Paying, Total, Card, Number, Exp, ExpHint, CVC, Name, Email, Pay, Cancel         string
	Test, TestCards, TestOK, TestDeclined, TestFunds, TestAuth, TestDisputed, TestAny       string
	Bank, BankText, BankPays, BankFails                                                     string
	AuthTitle, AuthText, AuthYes, AuthNo                                                    string
	Paid, PaidNext, Expired, Unknown, Back                                                  string
	Cards, NewCard, Save, Saved, Invoices, TestLater                                        string
	EveryDay, EveryWeek, EveryMonth, EveryYear, Days, Weeks, Months, Years                  string
	Declined, Funds, BadNumber, BadExp, PastExp, BadCVC, BadEmail, AuthFailed, OtherProblem string
}

var pageTextFor = map[string]pageText{
	"en": {
		Title: "Payment", Paying: "You are paying", Total: "Total", Card: "Pay by card", Number: "Card number", Exp: "Expiry date", ExpHint: "MM / YY",
		CVC: "Security code", Name: "Name on the card", Email: "E-mail", Pay: "Pay", Cancel: "Go back without paying",
		Test: "This is a practice page. No card is charged and no money moves.", TestCards: "Cards to practise with",
		TestOK: "is paid", TestDeclined: "is declined", TestFunds: "has too little money", TestAuth: "asks the bank first",
		TestDisputed: "is paid, then disputed", TestAny: "Any future date and any three digits go with them.",
		Bank: "Pay from a bank account", BankText: "A bank takes about four days. Here they pass when the clock is moved on.",
		BankPays: "Pay from an account that pays", BankFails: "Pay from an account that fails",
		AuthTitle: "Your bank asks: is it you?", AuthText: "A real bank would send you a code now. Here you choose what it hears.",
		AuthYes: "Yes, I agree", AuthNo: "No, refuse",
		Paid: "This payment is made.", PaidNext: "Continue", Expired: "This payment page is no longer open.",
		Unknown: "There is no payment at this address.", Back: "Go back",
		Cards: "Your cards", NewCard: "Keep a card for later payments", Save: "Save this card", Saved: "The card is saved.",
		Invoices: "Payments so far", TestLater: "is saved, and fails when charged later",
		EveryDay: "every day", EveryWeek: "every week", EveryMonth: "every month", EveryYear: "every year",
		Days: "every %d days", Weeks: "every %d weeks", Months: "every %d months", Years: "every %d years",
		Declined:  "Your bank declined the card. Nothing was charged. You can try another card.",
		Funds:     "The card does not have enough money for this. Nothing was charged.",
		BadNumber: "Please check the card number.", BadExp: "Please enter the expiry date as month and year, like 12 / 34.",
		PastExp: "This card's date has passed.",
		BadCVC:  "Please check the security code: three digits, or four on American Express.", BadEmail: "Please check the e-mail address.",
		AuthFailed:   "Your bank did not confirm the payment. Nothing was charged.",
		OtherProblem: "The card could not be used just now. Nothing was charged. Please try again.",
	},
	"es": {
		Title: "Pago", Paying: "Está pagando a", Total: "Total", Card: "Pagar con tarjeta", Number: "Número de tarjeta",
		Exp: "Fecha de vencimiento", ExpHint: "MM / AA",
		CVC: "Código de seguridad", Name: "Nombre en la tarjeta", Email: "Correo electrónico", Pay: "Pagar", Cancel: "Volver sin pagar",
		Test: "Esta es una página de práctica. No se cobra ninguna tarjeta ni se mueve dinero.", TestCards: "Tarjetas para practicar",
		TestOK: "se paga", TestDeclined: "es rechazada", TestFunds: "no tiene fondos suficientes", TestAuth: "pregunta primero al banco",
		TestDisputed: "se paga y luego se disputa", TestAny: "Sirven con cualquier fecha futura y tres cifras cualesquiera.",
		Bank: "Pagar desde una cuenta bancaria", BankText: "Un banco tarda unos cuatro días. Aquí pasan cuando se adelanta el reloj.",
		BankPays: "Pagar desde una cuenta que paga", BankFails: "Pagar desde una cuenta que falla",
		AuthTitle: "Su banco pregunta: ¿es usted?", AuthText: "Un banco de verdad le enviaría ahora un código. Aquí usted elige la respuesta.",
		AuthYes: "Sí, acepto", AuthNo: "No, rechazar",
		Paid: "Este pago está hecho.", PaidNext: "Continuar", Expired: "Esta página de pago ya no está abierta.",
		Unknown: "No hay ningún pago en esta dirección.", Back: "Volver",
		Cards: "Sus tarjetas", NewCard: "Guardar una tarjeta para pagos futuros", Save: "Guardar esta tarjeta",
		Saved: "La tarjeta quedó guardada.", Invoices: "Pagos hasta ahora", TestLater: "se guarda, y falla al cobrar después",
		EveryDay: "cada día", EveryWeek: "cada semana", EveryMonth: "cada mes", EveryYear: "cada año",
		Days: "cada %d días", Weeks: "cada %d semanas", Months: "cada %d meses", Years: "cada %d años",
		Declined:  "Su banco rechazó la tarjeta. No se cobró nada. Puede probar con otra.",
		Funds:     "La tarjeta no tiene fondos suficientes. No se cobró nada.",
		BadNumber: "Revise el número de tarjeta.", BadExp: "Escriba el vencimiento como mes y año, por ejemplo 12 / 34.",
		PastExp: "La tarjeta está vencida.",
		BadCVC:  "Revise el código de seguridad: tres cifras, o cuatro en American Express.", BadEmail: "Revise el correo electrónico.",
		AuthFailed:   "Su banco no confirmó el pago. No se cobró nada.",
		OtherProblem: "La tarjeta no se pudo usar en este momento. No se cobró nada. Inténtelo de nuevo.",
	},
	"pt": {
		Title: "Pagamento", Paying: "Você está pagando a", Total: "Total", Card: "Pagar com cartão", Number: "Número do cartão",
		Exp: "Data de validade", ExpHint: "MM / AA",
		CVC: "Código de segurança", Name: "Nome no cartão", Email: "E-mail", Pay: "Pagar", Cancel: "Voltar sem pagar",
		Test: "Esta é uma página de prática. Nenhum cartão é cobrado e nenhum dinheiro se move.", TestCards: "Cartões para praticar",
		TestOK: "é pago", TestDeclined: "é recusado", TestFunds: "não tem saldo suficiente", TestAuth: "pergunta antes ao banco",
		TestDisputed: "é pago e depois contestado", TestAny: "Servem com qualquer data futura e três algarismos quaisquer.",
		Bank: "Pagar de uma conta bancária", BankText: "Um banco leva uns quatro dias. Aqui eles passam quando o relógio é adiantado.",
		BankPays: "Pagar de uma conta que paga", BankFails: "Pagar de uma conta que falha",
		AuthTitle: "Seu banco pergunta: é você?", AuthText: "Um banco de verdade enviaria agora um código. Aqui você escolhe a resposta.",
		AuthYes: "Sim, aceito", AuthNo: "Não, recusar",
		Paid: "Este pagamento está feito.", PaidNext: "Continuar", Expired: "Esta página de pagamento não está mais aberta.",
		Unknown: "Não há pagamento neste endereço.", Back: "Voltar",
		Cards: "Seus cartões", NewCard: "Guardar um cartão para pagamentos futuros", Save: "Guardar este cartão",
		Saved: "O cartão foi guardado.", Invoices: "Pagamentos até agora", TestLater: "é guardado, e falha na cobrança seguinte",
		EveryDay: "todo dia", EveryWeek: "toda semana", EveryMonth: "todo mês", EveryYear: "todo ano",
		Days: "a cada %d dias", Weeks: "a cada %d semanas", Months: "a cada %d meses", Years: "a cada %d anos",
		Declined: "Seu banco recusou o cartão. Nada foi cobrado. Você pode tentar outro.", Funds: "O cartão não tem saldo suficiente. Nada foi cobrado.",
		BadNumber: "Confira o número do cartão.", BadExp: "Escreva a validade como mês e ano, por exemplo 12 / 34.",
		PastExp: "A validade deste cartão passou.",
		BadCVC:  "Confira o código de segurança: três algarismos, ou quatro no American Express.", BadEmail: "Confira o e-mail.",
		AuthFailed:   "Seu banco não confirmou o pagamento. Nada foi cobrado.",
		OtherProblem: "Não foi possível usar o cartão agora. Nada foi cobrado. Tente de novo.",
	},
}

// language returns the page's language for a session's locale; English if there is no translation.
func language(locale string) string {
	lang, _, _ := strings.Cut(locale, "-")
	if _, ok := pageTextFor[lang]; !ok {
		return "en"
	}
	return lang
}

// every returns how often a payment is repeated, in words.
func (w pageText) every(interval string, count int64) string {
	one := map[string]string{"day": w.EveryDay, "week": w.EveryWeek, "month": w.EveryMonth, "year": w.EveryYear}
	if count == 1 {
		return one[interval]
	}
	return fmt.Sprintf(map[string]string{"day": w.Days, "week": w.Weeks, "month": w.Months, "year": w.Years}[interval], count)
}

// problem returns the message to the payer about a failed payment.
func (w pageText) problem(e *apiError) string {
	switch {
	case e.declineCode == "insufficient_funds":
		return w.Funds
	case e.code == "card_declined":
		return w.Declined
	}
	if text, ok := map[string]string{"incorrect_number": w.BadNumber, "invalid_expiry": w.BadExp, "invalid_expiry_past": w.PastExp,
		"expired_card": w.PastExp, "invalid_cvc": w.BadCVC, "incorrect_cvc": w.BadCVC, "email_invalid": w.BadEmail,
		"payment_intent_authentication_failure": w.AuthFailed, "setup_intent_authentication_failure": w.AuthFailed}[e.code]; ok {
		return text
	}
	return w.OtherProblem
}

// decimals lists the currencies whose number of minor digits is not two (docs.stripe.com/currencies).
var decimals = map[string]int{"bif": 0, "clp": 0, "djf": 0, "gnf": 0, "jpy": 0, "kmf": 0, "krw": 0, "mga": 0, "pyg": 0, "rwf": 0,
	"vnd": 0, "vuv": 0, "xaf": 0, "xof": 0, "xpf": 0, "bhd": 3, "jod": 3, "kwd": 3, "omr": 3, "tnd": 3}

// amountText formats an amount in minor units: $1,234.50 in English, 1.234,50 USD in other languages.
func amountText(minor int64, currency, lang string) string {
	places, listed := decimals[currency]
	if !listed {
		places = 2
	}
	sign := ""
	if minor < 0 {
		sign, minor = "−", -minor
	}
	digits := strconv.FormatInt(minor, 10)
	if short := places + 1 - len(digits); short > 0 {
		digits = strings.Repeat("0", short) + digits
	}
	whole, part := digits[:len(digits)-places], digits[len(digits)-places:]
	thousands, point := ",", "."
	if lang != "en" {
		thousands, point = ".", ","
	}
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + thousands + whole[i:]
	}
	if part != "" {
		whole += point + part
	}
	if lang == "en" && currency == "usd" {
		return sign + "$" + whole
	}
	return sign + whole + "\u00a0" + strings.ToUpper(currency)
}
