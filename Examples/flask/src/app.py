import os
import sys

from flask import Flask, jsonify

app = Flask(__name__)


@app.get("/")
def index():
    return jsonify(ok=True, uid=os.getuid())


if __name__ == "__main__":
    if "--once" in sys.argv:
        print(app.test_client().get("/").get_json())
    else:
        app.run(host="0.0.0.0", port=int(os.environ.get("PORT", 5000)))
