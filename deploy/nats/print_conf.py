"""What does nats-server have to be told? `python deploy/nats/print_conf.py > deploy/nats/nats.conf`

Who may publish and hear what is `chassis.servers.nats`, the same as in the local stack; a test compares the file.
"""

from chassis.servers.nats import users_block
from samordna.members import nats_users

HEAD = """\
# Printed by deploy/nats/print_conf.py; change that, not this. Passwords are variables of the server's environment,
# which deploy/nats/start.sh fills from files.
server_name: samordna
listen: 0.0.0.0:4222
http: 127.0.0.1:8222
# Every acknowledged message is on disk. The default syncs every two minutes and loses what came since in a crash.
jetstream { store_dir: "/data", sync_interval: always, max_memory_store: 67108864, max_file_store: 21474836480 }
"""


def conf() -> str:
    users = nats_users()
    return HEAD + users_block(users, {u.name: f"$NATS_{u.name.upper()}_PASSWORD" for u in users})


if __name__ == "__main__":
    print(conf(), end="")
