/* SPDX-License-Identifier: MIT */
/*
 * rtc.c - the battery-backed clock of a PC: an MC146818, behind two I/O ports. (Its data sheet, table 3.)
 *
 * It shows date and time in UTC, in binary or decimal digits, and for up to two milliseconds each second it must
 * not be read. So it is read until two readings in a row agree.
 */
#include <arch/cpu.h>
#include <arch/io.h>
#include <arch/timer.h>
#include "lib/string.h"

#define PORT_INDEX 0x70
#define PORT_DATA  0x71

enum {
	REG_SECOND = 0,
	REG_MINUTE = 2,
	REG_HOUR = 4,
	REG_DAY = 7,
	REG_MONTH = 8,
	REG_YEAR = 9,
	REG_A = 10,
	REG_B = 11
};

#define A_UPDATING 0x80
#define B_24_HOURS 0x02
#define B_BINARY   0x04
#define HOUR_PM    0x80

#define ATTEMPTS     10
#define UPDATE_POLLS 100000 /* far more than two milliseconds of port accesses */

struct date {
	u8 second, minute, hour, day, month, year;
};

static u8 reg_read(u8 reg)
{
	arch_port_out8(PORT_INDEX, reg);
	return arch_port_in8(PORT_DATA);
}

static void date_read(struct date *d)
{
	for (unsigned i = 0; i < UPDATE_POLLS && (reg_read(REG_A) & A_UPDATING); i++)
		cpu_relax();
	*d = (struct date){
		.second = reg_read(REG_SECOND),
		.minute = reg_read(REG_MINUTE),
		.hour = reg_read(REG_HOUR),
		.day = reg_read(REG_DAY),
		.month = reg_read(REG_MONTH),
		.year = reg_read(REG_YEAR),
	};
}

static u8 from_decimal(u8 v)
{
	return (u8)((v >> 4) * 10 + (v & 15));
}

/* date_normalise - binary numbers, hours from 0 to 23. */
static void date_normalise(struct date *d)
{
	u8 mode = reg_read(REG_B);
	bool pm = !(mode & B_24_HOURS) && (d->hour & HOUR_PM);

	if (!(mode & B_24_HOURS))
		d->hour &= (u8)~HOUR_PM;
	if (!(mode & B_BINARY)) {
		u8 *field = (u8 *)d;

		for (unsigned i = 0; i < sizeof(*d); i++)
			field[i] = from_decimal(field[i]);
	}
	if (!(mode & B_24_HOURS))
		d->hour = (u8)(d->hour % 12 + (pm ? 12 : 0));
}

static bool date_valid(const struct date *d)
{
	return d->second < 60 && d->minute < 60 && d->hour < 24 && d->day >= 1 && d->day <= 31 &&
	       d->month >= 1 && d->month <= 12 && d->year < 100;
}

/* Seconds since 1970. The two digits of the year are of 1970 to 2069; every fourth of those has a leap day. */
static u64 date_to_seconds(const struct date *d)
{
	static const u16 days_before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
	u64 years = d->year >= 70 ? d->year - 70u : d->year + 30u; /* since 1970 */
	bool leap = d->year % 4 == 0 && d->month > 2;
	u64 days = years * 365 + (years + 1) / 4 + days_before[d->month - 1] + leap + d->day - 1;

	return ((days * 24 + d->hour) * 60 + d->minute) * 60 + d->second;
}

/* arch_rtc_read - see arch/timer.h. */
bool arch_rtc_read(u64 *seconds)
{
	struct date a, b;

	date_read(&b);
	for (unsigned i = 0; i < ATTEMPTS; i++) {
		a = b;
		date_read(&b);
		if (memcmp(&a, &b, sizeof(a)))
			continue;
		date_normalise(&a);
		if (!date_valid(&a))
			return false;
		*seconds = date_to_seconds(&a);
		return true;
	}
	return false;
}
