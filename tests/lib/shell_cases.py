# SPDX-License-Identifier: MIT
"""shell_cases - what works when one sits at the console and types.

Each case is a function that types into the shell and looks at what comes. They run one after the other on one
machine, in the order of this file; after a failing one the shell is brought back by Ctrl-C. The same
cases run on Linux, which decides what is right.
"""
import hashlib
import os
import re
import time
from dataclasses import dataclass, field

from ktap import FAIL, PASS, Case
from process import Run
from scenario import ROOT
from terminal import CTRL, Silent, Terminal, plain

# At the start of a line: the shell also prints it when it draws the line again.
PROMPT_TEXT = r"root@quire:\S*# (\x1b\[6n)?"
PROMPT = "^" + PROMPT_TEXT
UP, LEFT, HOME, END = "\x1b[A", "\x1b[D", "\x1b[H", "\x1b[F"
CASES = []


class Wrong(Exception):
    """Something came, but not what should have."""


def case(function):
    CASES.append(function)
    return function


def names(part):
    return [function.__name__ for function in CASES if part in function.__name__]


class Shell:
    def __init__(self, terminal, smp):
        self.terminal = terminal
        self.smp = smp
        self.type, self.expect = terminal.type, terminal.expect

    def prompt(self):
        self.expect(PROMPT)

    def prompt_after_full_screen(self):
        """Such a program leaves the cursor anywhere."""
        self.expect(PROMPT_TEXT)

    def run(self, command):
        """Type a command; its output as one reads it."""
        start = self.terminal.at
        self.type(command + "\r")
        self.prompt()
        text = self.terminal.text[start:self.terminal.at]
        text = plain(text[text.index("\n") + 1:])
        return text[:text.rindex("root@quire:")].strip("\n")

    def check(self, command, *patterns):
        """Its output must match all of these (as lines; "." is any character of a line)."""
        output = self.run(command)
        for pattern in patterns:
            if not re.search(pattern, output, re.MULTILINE):
                raise Wrong(f"{command!r} printed {output!r}: no match for {pattern!r}")
        return output

    def until(self, command, *patterns):
        """The same for what comes about by itself a little later: again and again until it matches."""
        end = time.monotonic() + self.terminal.limit
        while True:
            try:
                return self.check(command, *patterns)
            except Wrong:
                if time.monotonic() > end:
                    raise

    def equal(self, command, wanted):
        output = self.run(command)
        if output != wanted:
            raise Wrong(f"{command!r} printed {output!r}, not {wanted!r}")

    def recover(self):
        """Get the prompt back after whatever went wrong. False: there is no shell any more."""
        for keys in (CTRL["c"] + "\r", CTRL["\\"] + "\r", "\x1b:q!\r" + CTRL["c"] + "q\r"):
            self.type(keys + "stty sane; cd; echo alive-$((40 + 2))\r")
            try:
                self.expect("^alive-42", 20.0)
                self.prompt()
                self.run("kill -9 $(jobs -p) 2> /dev/null; wait")
                return True
            except Silent:
                pass
        return False


# --- editing ----------------------------------------------------------------------------------------------

@case
def typed_text_is_echoed_once_and_the_command_runs(s):
    start = s.terminal.at
    s.type("echo 'one  two'\r")
    s.prompt()
    shown = plain(s.terminal.text[start:s.terminal.at])
    if not shown.startswith("echo 'one  two'\none  two\nroot@quire:"):
        raise Wrong(f"the screen shows {shown!r}")


@case
def backspace_takes_back(s):
    s.equal("echo helXX\x7f\x7flo", "hello")


@case
def arrow_keys_move_in_the_line_and_in_the_history(s):
    s.equal(f"echo ac{LEFT}b", "abc")
    s.equal(f"cho x{HOME}e{END}y", "xy")
    s.equal(UP + UP, "abc")


@case
def control_keys_edit_the_line(s):
    s.equal(f"not this{CTRL['u']}echo a b{CTRL['w']}c", "a c")


@case
def tab_completes_file_names(s):
    s.check("head -n 1 /etc/pass\t", "^root:x:0:0:")


@case
def ctrl_c_drops_the_line(s):
    s.type(f"echo never{CTRL['c']}")
    s.prompt()
    s.equal("echo after", "after")


# --- the language -----------------------------------------------------------------------------------------

@case
def pipes_connect_programs(s):
    s.equal("echo one two | tr a-z A-Z | rev", "OWT ENO")
    s.equal("yes | head -n 3 | wc -l", "3")
    s.equal("seq 1 10 | sort -rn | uniq | wc -l", "10")


@case
def redirections_go_where_they_should(s):
    s.run("cd /tmp; echo one > r; echo two >> r")
    s.equal("cat < r", "one\ntwo")
    s.equal("ls /none 2>&1 > /dev/null | wc -l", "1")
    s.equal("exec 5> r; echo five >&5; exec 5>&-; cat r; rm r", "five")


@case
def patterns_become_names(s):
    s.run("mkdir /tmp/g; cd /tmp/g; touch a1 a2 b1 .h")
    s.equal("echo *; echo ?1; echo [ab]2; echo z*", "a1 a2 b1\na1 b1\na2\nz*")
    s.run("cd /tmp; rm -r g")


@case
def here_documents_are_read(s):
    s.type("cat << END\r")
    s.expect("> ")
    s.type("line $((1 + 1))\r")
    s.expect("> ")
    s.type("END\r")
    s.expect(r"^line 2\n")
    s.prompt()


@case
def substitution_loops_and_functions_work(s):
    s.equal("echo $(echo $(basename /a/b)) $((6 * 7))", "b 42")
    s.equal("for i in 1 2 3; do echo -n $i,; done; echo", "1,2,3,")
    s.equal("i=0; while [ $i -lt 100 ]; do i=$((i + 1)); done; echo $i", "100")
    s.equal("f() { case $1 in a*) echo yes;; *) echo no;; esac; }; f abc; f xyz", "yes\nno")


@case
def scripts_run_by_their_first_line(s):
    s.run("cd /tmp; printf '#!/bin/sh -e\\necho $0 $#: $1\\nfalse\\necho not reached\\n' > script; chmod +x script")
    s.equal("./script 'a b' c; echo $?; rm script", "./script 2: a b\n1")


@case
def exit_statuses_are_told(s):
    s.check("/none; echo $?", "not found", "^127$")
    s.check("/etc/passwd; echo $?", "[Pp]ermission denied", "^126$")
    s.equal("sh -c 'kill -9 $$'; echo $?", "Killed\n137")


# --- signals and jobs ---------------------------------------------------------------------------------------

def start(s, command):
    """Run a program that goes on, and wait until it is in the foreground: a key that comes earlier is the shell's."""
    s.type(f"sh -c 'echo sta\"\"rted; exec {command}'\r")
    s.expect("^started\n")


def start_script(s, before, after):
    """Run commands in the shell itself, and wait until those of the first part are done."""
    s.type(f"{before}; echo sta''rted; {after}\r")
    s.expect("^started\n")


@case
def ctrl_c_ends_a_sleeping_program(s):
    start(s, "sleep 1000")
    s.type(CTRL["c"])
    s.prompt()
    s.equal("echo $?", "130")


@case
def ctrl_c_ends_a_reading_program_and_ctrl_d_is_the_end_of_its_input(s):
    start(s, "cat")
    s.type("typed\r")
    s.expect(r"typed\ntyped\n")
    s.type(CTRL["c"])
    s.prompt()
    start(s, "cat > /tmp/c")
    s.type("first\rsecond" + CTRL["d"] + CTRL["d"])
    s.expect("^second" + PROMPT_TEXT)
    s.equal("cat /tmp/c; echo; rm /tmp/c", "first\nsecond")


@case
def ctrl_c_ends_a_computing_program_and_a_pipeline(s):
    start_script(s, ":", "while :; do :; done")
    s.type(CTRL["c"])
    s.prompt()
    start(s, 'sh -c "yes | cat > /dev/null"')
    s.type(CTRL["c"])
    s.prompt()
    s.equal("echo $?", "130")


@case
def ctrl_backslash_quits(s):
    start(s, "sleep 1000")
    s.type(CTRL["\\"])
    s.prompt()
    s.equal("echo $?", "131")


@case
def ctrl_z_stops_and_fg_goes_on(s):
    start(s, "cat")
    s.type(CTRL["z"])
    s.expect(r"\[1\]\+  Stopped +sh -c .*exec cat")
    s.prompt()
    s.check("jobs -l", r"^\[1\]\+ +\d+ Stopped +sh -c .*exec cat")
    s.check("ps -o pid,stat,args", r"^ *\d+ T +.*cat")
    s.type("fg\r")
    s.expect(r"^sh -c .*exec cat.*\n")
    s.type("read\r")
    s.expect("^read\nread\n")
    s.type(CTRL["c"])
    s.prompt()
    s.equal("jobs", "")


@case
def bg_lets_a_stopped_job_go_on_behind_the_prompt(s):
    start(s, "sleep 1000")
    s.type(CTRL["z"])
    s.prompt()
    s.check("bg", r"^\[1\] sh -c .*sleep 1000")
    s.check("jobs", r"^\[1\]\+ +Running +sh -c .*sleep 1000")
    s.run("kill %1")
    s.check("wait; jobs; echo done", "^done$")


@case
def jobs_run_in_the_background_and_can_be_waited_for(s):
    s.check("sleep 0.3 && echo slept > /tmp/j &", r"^\[1\] \d+|^$")
    s.check("wait $!; echo status $?; cat /tmp/j; rm /tmp/j", "^status 0$", "^slept$")
    s.check("sh -c 'exit 7' & wait $!; echo status $?", "^status 7$")


@case
def a_background_job_that_reads_the_terminal_stops(s):
    s.run("cat &")
    s.until("jobs", r"Stopped \(tty input\) +cat")
    s.run("kill %1; kill -CONT %1; wait 2> /dev/null")
    s.check("jobs; echo end", "^end$")


@case
def a_background_job_may_write_unless_tostop(s):
    s.check("echo from behind & wait", "^from behind$")
    s.run("stty tostop; echo held & true")
    s.until("jobs", r"Stopped \(tty output\)")
    s.check("stty -tostop; fg", "^held$")


@case
def traps_run_and_signals_can_be_sent_by_name(s):
    s.equal("sh -c 'trap \"echo caught\" USR1; kill -USR1 $$; echo after'", "caught\nafter")
    s.run("sleep 1000 & pid=$!")
    s.until("kill -STOP $pid; cat /proc/$pid/stat", r"^\d+ \(\w+\) T ")
    s.check("kill -CONT $pid; kill $pid; while kill -0 $pid 2> /dev/null; do jobs > /dev/null; done; echo gone", "^gone$")
    s.equal("kill -0 999999 2>&1 | sed 's/.*: //'", "No such process")


@case
def killall_and_pidof_find_programs_by_name(s):
    s.run("sleep 1001 & sleep 1002 &")
    s.until("pidof sleep", r"^\d+ \d+$")
    s.run("killall sleep; wait")
    s.check("pidof sleep; echo $?", "^1$")


# --- the terminal ---------------------------------------------------------------------------------------------

@case
def the_terminal_has_the_size_of_the_window(s):
    s.equal("stty size", "40 250")


@case
def stty_changes_the_terminal(s):
    s.check("stty -a", "intr = \\^C", "(^|[^-])icanon", "(^|[^-])echo ")
    start_script(s, "stty -echo", "read secret; stty echo; echo \"got $secret\"")
    before = len(s.terminal.text)
    s.type("hidden\r")
    s.prompt()
    shown = plain(s.terminal.text[before:])
    if "got hidden" not in shown or shown.count("hidden") != 1:
        raise Wrong(f"the screen shows {shown!r}")


@case
def a_program_may_read_single_keys(s):
    start_script(s, "stty -icanon min 1", "dd bs=1 count=1 2> /dev/null | od -An -c; stty icanon")
    s.type("k")
    s.expect(r"^k? +k$")
    s.prompt()


@case
def the_line_is_edited_by_the_terminal_as_well(s):
    start(s, "cat")
    s.type("wrongX" + "\x7f" * 6 + "right\r")
    s.expect("^right\n")
    s.type(f"kill this{CTRL['u']}one two{CTRL['w']}three\r")
    s.expect("^one three\n")
    s.type(CTRL["d"])
    s.prompt()


@case
def the_terminal_has_names(s):
    s.check("tty", "^/dev/(console|tty\\w+)$")
    s.check("echo to the terminal > /dev/tty", "^to the terminal$")
    s.check("ls -l /dev/tty /dev/null /dev/ptmx", r"crw.* 5, +0 .*/dev/tty$", r"crw-rw-rw-.* 1, +3 .*/dev/null$")


@case
def pasted_text_arrives_whole(s):
    text = "".join(f"line {n} of what is pasted, all at once\r" for n in range(100))
    start(s, "cat > /tmp/pasted")
    s.type(text + CTRL["d"])
    s.prompt()
    digest = hashlib.md5(text.replace("\r", "\n").encode()).hexdigest()
    s.check("md5sum /tmp/pasted; rm /tmp/pasted", f"^{digest} ")


@case
def long_output_arrives_whole(s):
    output = s.run("seq 1 3000")
    if output != "\n".join(str(n) for n in range(1, 3001)):
        raise Wrong("of the numbers 1 to 3000 some are missing or not in order")


@case
def vi_edits_a_file(s):
    s.type("vi /tmp/v\r")
    s.expect(r"- /tmp/v")
    s.type("ifirst line\rsecond line\rthird\x1b")
    s.expect(r"- /tmp/v \[Modified\] 3/3")  # until then the escape key might begin a sequence
    s.type("kddp:wq\r")  # the second and third lines change places
    s.prompt_after_full_screen()
    s.equal("cat /tmp/v", "first line\nthird\nsecond line")
    s.type("vi /tmp/v\r")
    s.expect("first line")
    s.expect(r"- /tmp/v")
    s.type("/third\rcwTHIRD\x1b")
    s.expect(r"- /tmp/v \[Modified\]")
    s.type("Gonew\x1b")
    s.expect(r"- /tmp/v \[Modified\] 4/4")
    s.type(":x\r")
    s.prompt_after_full_screen()
    s.equal("cat /tmp/v; rm /tmp/v", "first line\nTHIRD\nsecond line\nnew")


@case
def less_shows_pages(s):
    s.type("seq 1 500 | less\r")
    s.expect(r"\x1b\[K38$")
    s.type(" ")
    s.expect(r"\x1b\[K7\d$")
    s.type("q")
    s.prompt_after_full_screen()


@case
def top_shows_processes_until_q(s):
    s.check("top -bn1 | head -n 20", "^Mem: +\\d+K used, \\d+K free", "^CPU: +", "^Load average: [0-9.]+ ", "PID +PPID +USER",
            r"^ +1 +0 root ")
    s.type("top -d 1\r")
    s.expect("Mem: +\\d+K used")
    s.expect("Mem: +\\d+K used")
    s.type("q")
    s.prompt_after_full_screen()


# --- programs ---------------------------------------------------------------------------------------------------

@case
def ps_lists_processes(s):
    s.check("ps", "^PID +USER +COMMAND", r"^ +1 root +(\{init\} )?(/?s?b?i?n?/)?init", r"\d+ root +.*sh -l")
    s.check("ps -o pid,ppid,pgid,sid,tty,vsz,stat,comm", "^ +1 +0 +1 +1 ", r"sh$")
    s.run("sleep 1000 &")
    s.until("ps -o pid,comm", r"^ *\d+ sleep$")
    s.run("kill $!; wait")


@case
def mount_df_and_free_tell_what_there_is(s):
    s.check("mount", r"^\S+ on / type \w+ \(rw", "^proc on /proc type proc ", "^sysfs on /sys type sysfs ",
            "^devtmpfs on /dev type devtmpfs ", "^devpts on /dev/pts type devpts ", "^tmpfs on /tmp type tmpfs ")
    s.check("df -k", "^Filesystem +1K-blocks +Used +Available", r"^tmpfs +\d+ +\d+ +\d+ +\d+% /tmp$")
    s.check("df -h /tmp", "^tmpfs ")
    s.check("free", "^ +total +used +free", r"^Mem: +\d+ +\d+ +\d+ ")
    s.check("free -m | grep Mem | awk '{ print ($2 > 100 && $2 < 512) }'", "^1$")


@case
def file_systems_can_be_mounted_and_unmounted(s):
    s.run("mkdir /tmp/m; mount -t tmpfs -o size=1m mine /tmp/m")
    s.check("mount | grep /tmp/m", "^mine on /tmp/m type tmpfs .*size=1024k")
    s.check("dd if=/dev/zero of=/tmp/m/big bs=1k count=2000 2>&1", "No space left")
    s.check("cd /tmp/m; umount /tmp/m 2>&1; cd /tmp", "busy")
    s.equal("umount /tmp/m; ls /tmp/m; rmdir /tmp/m", "")


@case
def the_machine_tells_its_name_and_numbers(s):
    s.check("uname -a", r"^Linux quire 6\.\d+\S* .*(x86_64|aarch64)")
    s.equal("hostname; nproc", f"quire\n{s.smp}")
    s.check("date", r"^\w{3} +\w{3} +\d+ \d\d:\d\d:\d\d \w+ 20[2-9]\d$")
    s.check("uptime", r"up .*load average: ")
    s.check("cat /proc/cpuinfo | grep -c -i '^processor'", f"^{s.smp}$")
    s.check("cat /proc/version /proc/uptime /proc/loadavg", "^Linux version", r"^[0-9.]+ [0-9.]+$")


@case
def users_are_who_they_say(s):
    s.equal("id", "uid=0(root) gid=0(root)")
    s.equal("su user -c id", "uid=1000(user) gid=1000(user) groups=1000(user)")
    s.check("su user -c 'echo x > /etc/passwd'; echo $?", "Permission denied", "^[12]$")
    s.run("echo secret > /tmp/s; chmod 600 /tmp/s")
    s.check("su user -c 'cat /tmp/s'; rm -f /tmp/s", "Permission denied")
    s.check("su user -c 'kill -9 1' 2>&1", "Operation not permitted")


@case
def find_and_xargs_go_through_everything(s):
    s.check("find / -xdev -name passwd", "^/etc/passwd$")
    s.check("find /bin /etc -type f | xargs ls -ld | wc -l", r"^\d+$")
    s.check("find / -xdev | xargs ls -ld > /tmp/all; wc -l < /tmp/all | awk '{ print ($1 > 100) }'; rm /tmp/all", "^1$")
    s.equal("seq 1 5 | xargs -n 2 echo", "1 2\n3 4\n5")


@case
def grep_searches_trees(s):
    s.check("grep -r 'root:x' /etc", "^/etc/(passwd|group):root:x:0:")
    s.check("grep -c . /etc/passwd", r"^\d+$")


@case
def awk_sed_and_sort_work_on_text(s):
    s.equal("awk -F: '{ n += $3 } END { print n > 0 }' /etc/passwd; rm -f 0", "")
    s.equal("seq 1 100 | awk '{ s += $1 } END { print s }'", "5050")
    s.equal("echo abc | sed -e 's/b/X/' -e y/c/d/", "aXd")
    s.equal("printf 'b\\na\\nb\\n' | sort | uniq -c | sed 's/^ *//'", "1 a\n2 b")


@case
def archives_keep_what_is_put_in(s):
    s.run("cd /tmp; mkdir -p t/sub; echo content > t/sub/f; ln -s sub/f t/l; chmod 750 t/sub")
    s.run("tar czf t.tgz t; mv t old; tar xzf t.tgz")
    s.equal("cat t/l; stat -c %a t/sub; diff -r t old && echo same", "content\n750\nsame")
    s.equal("find old | cpio -o -H newc 2> /dev/null | cpio -t 2> /dev/null | wc -l", "4")
    s.run("rm -r t old t.tgz")


@case
def dd_copies_bytes_and_checksums_agree(s):
    s.check("cd /tmp; dd if=/dev/urandom of=d bs=1M count=4 2>&1", r"4\+0 records out")
    s.equal("gzip -k d; gunzip -c d.gz | cmp - d && echo same; rm d d.gz", "same")
    s.check("dd if=/dev/zero bs=1k count=64 2> /dev/null | md5sum", f"^{hashlib.md5(bytes(65536)).hexdigest()} ")
    s.check("echo x > /dev/full; echo $?", "No space left on device", "^1$")


@case
def open_files_are_shown_in_proc(s):
    s.check("ls -l /proc/self/fd", r"0 -> /dev/(console|tty\w+)$", r"1 -> /dev/", r"2 -> /dev/")
    s.run("sleep 1000 < /etc/passwd > /tmp/o &")
    s.until("ls -l /proc/$!/fd", "0 -> /etc/passwd$", "1 -> /tmp/o$")
    s.run("kill $!; wait; rm /tmp/o")
    s.check("echo | ls -l /proc/self/fd", r"0 -> pipe:\[\d+\]$")
    s.check("readlink /proc/self/exe; cat /proc/self/cmdline | tr '\\0' ' '; echo", "^/bin/busybox$", "^cat /proc/self/cmdline")
    s.check("cat /proc/self/maps", r"^[0-9a-f]+-[0-9a-f]+ r-xp .*/bin/busybox$", r"\[stack\]$", r"\[heap\]$")


@case
def links_modes_and_times_are_kept(s):
    s.run("cd /tmp; echo x > f; ln f h; ln -s f l; chmod 4751 f; touch -d '2020-01-02 03:04:05' f")
    s.equal("stat -c '%h %A %a %F %s' f; readlink l; stat -c '%F' l", "2 -rwsr-x--x 4751 regular file 2\nf\nsymbolic link")
    s.check("ls -l f", r"^-rwsr-x--x +2 root +root +2 Jan +2 +2020 f$")
    s.equal("stat -c %Y f; [ f -ef h ] && echo same; rm f h l", "1577934245\nsame")
    s.equal("umask 077; touch n; umask 022; stat -c %a n; rm n", "600")
    s.equal("mkdir -p x/y/z; mv x/y w; ls -R w; rm -r x w", "w:\nz\n\nw/z:")


@case
def named_pipes_connect_processes(s):
    s.run("cd /tmp; mkfifo p")
    s.check("ls -l p", "^prw")
    s.run("cat p > got & echo through the pipe > p; wait")
    s.equal("cat got; rm p got", "through the pipe")


@case
def time_and_timeout_measure_and_limit(s):
    s.check("time sleep 0.2", r"^real\s+0m [0-9]\.\d+s", r"^user\s+0m ", r"^sys\s+0m ")
    s.check("timeout 1 sleep 1000; echo $?", "^143$")
    s.equal("timeout 60 true; echo $?", "0")


@case
def devices_give_what_their_names_say(s):
    s.equal("head -c 4 /dev/zero | od -An -tx1 | tr -d ' '", "00000000")
    s.equal("head -c 16 /dev/urandom | wc -c; cat /dev/null | wc -c", "16\n0")


@case
def shared_memory_and_temporary_files_have_a_place(s):
    s.check("ls -ld /tmp /dev/shm", "^drwxrwxrwt .*/tmp$", "^drwxrwxrwt .*/dev/shm$")
    s.equal("f=$(mktemp); echo x > $f; cat $f; rm $f", "x")


@case
def many_processes_come_and_go(s):
    s.equal("for i in $(seq 1 200); do /bin/busybox true || echo bad; done; echo end", "end")
    s.check("for i in $(seq 1 30); do sleep 0.1 & done; wait; echo all", "^all$")


@case
def a_deep_pipeline_and_recursion_work(s):
    s.equal("echo deep" + " | cat" * 20, "deep")
    s.equal("f() { [ $1 = 0 ] && echo bottom || f $(($1 - 1)); }; f 100", "bottom")


@case
def the_environment_is_handed_down(s):
    s.equal("export GREETING='hi there'; sh -c 'echo $GREETING'; env | grep -c ^GREETING=", "hi there\n1")
    s.check("echo $HOME $PATH $SHELL", "^/root /sbin:/usr/sbin:/bin:/usr/bin ")
    s.equal("cd /usr/bin; cd ..; pwd; cd - > /dev/null; pwd; cd", "/usr\n/usr/bin")


# --- running them -----------------------------------------------------------------------------------------------

@dataclass
class ShellScenario:
    """One machine, all cases; to tests/run it is what a Scenario is. leave: what ends the session."""
    name: str
    arch: str
    kernel: str
    initrd: str
    append: str = ""
    smp: str = "1"
    filter: str = ""
    leave: str = "poweroff\r"
    cases: list = field(default_factory=list)
    run: Run = None

    def command(self):
        c = [os.path.join(ROOT, "tools/run-qemu"), "--arch", self.arch, "--kernel", self.kernel, "--initrd",
             self.initrd, "--smp", self.smp, "--mem", "512M", "--interactive"]
        return c + (["--append", self.append] if self.append else [])

    def execute(self):
        start_time = time.monotonic()
        terminal = Terminal(self.command(), rows=40, columns=250)
        try:
            self.cases = [Case(f"{self.name}/{name}", FAIL if problem else PASS, problem or [])
                          for name, problem in self.play(Shell(terminal, self.smp))]
        finally:
            terminal.close()
        self.run = Run(lines=plain(terminal.text).splitlines(), seconds=time.monotonic() - start_time)
        self.run.times = [0.0] * len(self.run.lines)
        self.run.status = terminal.process.returncode
        return self.cases

    def play(self, shell):
        """(name, what went wrong) of each step; stops when there is no shell any more."""
        problem = self.attempt(shell, lambda s: s.expect(PROMPT, 180.0))
        yield "a_prompt_appears", problem
        if problem:
            return
        for function in CASES:
            if self.filter not in function.__name__:
                continue
            problem = self.attempt(shell, function)
            yield function.__name__, problem
            if problem and not shell.recover():
                yield "the_shell_lives_on", ["it does not answer any more", *shell.terminal.tail()]
                return
        yield "leaving_switches_the_machine_off", self.attempt(shell, self.leave_shell)

    @staticmethod
    def attempt(shell, function):
        try:
            function(shell)
        except (Silent, Wrong, ValueError) as e:
            return [str(e), "the screen:", *shell.terminal.tail()]
        return None

    def leave_shell(self, shell):
        shell.type(self.leave)
        status = shell.terminal.wait()
        if status:
            raise Wrong(f"QEMU ended with status {status}")
