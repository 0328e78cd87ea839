"""Spark as a process that is asked line by line: `serve.py JARS FOLDER`.

Comes in, a line of JSON each: `{"sql": …}`, with `"to"`, a folder, where the answer's rows are
wanted as Parquet, and `"hadoop"`, settings that hold from then on. Goes out, a line of JSON each:
`{}`, or `{"error": …}`; the first as soon as it can be asked.
"""

import json
import sys
from pathlib import Path

from session import session


def main():
    # Whatever else prints to standard output must not come between the answers.
    answers, sys.stdout = sys.stdout, sys.stderr
    jars, folder = map(Path, sys.argv[1:])
    spark = session(jars, folder)
    hadoop = spark.sparkContext._jsc.hadoopConfiguration()
    _tell(answers)
    for line in sys.stdin:
        asked = json.loads(line)
        for name, value in asked.get("hadoop", {}).items():
            hadoop.set(name, value)
        try:
            rows = spark.sql(asked["sql"])
            if "to" in asked:
                rows.coalesce(1).write.parquet(asked["to"])
            _tell(answers)
        except Exception as error:
            _tell(answers, error=str(error))
    spark.stop()


def _tell(answers, **what):
    print(json.dumps(what), file=answers, flush=True)


if __name__ == "__main__":
    main()
