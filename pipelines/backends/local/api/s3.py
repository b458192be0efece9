from pipelines.backends.local.api.messages import Answer, Request

LONGEST = 5 << 30


class Store:
    def __init__(self, objects, region):
        pass

    def answer(self, request):
        return bug(request)


def bug(request):
    return Answer(501)
