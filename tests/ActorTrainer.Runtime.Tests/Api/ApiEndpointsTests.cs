using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using ActorTrainer.Client;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Testing.Api;

namespace ActorTrainer.Runtime.Tests.Api;

public sealed class ApiEndpointsTests : ApiTests
{
    [Fact]
    public async Task SubmitTask_NewTask_Is201WithLocationAndDefaults()
    {
        TaskSpec? received = null;
        Node.OnSubmit = spec =>
        {
            received = spec;
            return new CommandAccepted(TaskId.Parse("one-x1x1"));
        };

        HttpResponseMessage response = await PostAsync(
            "/v1/tasks",
            """{"name":"one","command":["true"],"checkpoint":{"keepLast":2,"capture":"rename","onDamage":"restart"},"retry":null}"""
        );

        response.StatusCode.ShouldBe(HttpStatusCode.Created);
        response.Headers.Location!.ToString().ShouldBe("/v1/tasks/one-x1x1");
        (await JsonAsync(response))["type"]!.GetValue<string>().ShouldBe("accepted");
        received.ShouldNotBeNull();
        received.Slots.ShouldBe(1);
        received.Grace.ShouldBe(TimeSpan.FromSeconds(8));
        received.Checkpoint.KeepLast.ShouldBe(2);
        (received.Checkpoint.Capture, received.Checkpoint.OnDamage).ShouldBe((CheckpointCapture.Rename, DamageAction.Restart));
        received.Checkpoint.EpochInterval.ShouldBe(5);
        received.Retry.MaxAttempts.ShouldBe(3);
        received.Environment.ShouldBeEmpty();
    }

    [Fact]
    public async Task SubmitTask_WholeSpecification_ArrivesUnchanged()
    {
        TaskSpec sent = new()
        {
            Name = "whole",
            Priority = 3,
            Slots = 2,
            Trainer = new TrainerSpec("A.B", "/a.dll", JsonDocument.Parse("""{"layers":[1,2],"Rate":0.1}""").RootElement.Clone()),
            Environment = new Dictionary<string, string> { ["SEED"] = "7" },
            WorkingDirectory = "/tmp",
            Checkpoint = new CheckpointSpec
            {
                Strategy = CheckpointStrategy.Interval,
                Interval = TimeSpan.FromSeconds(20),
                BestMetric = "loss",
            },
            Retry = new RetrySpec { Rules = [new FailureRule("oom", FailureAction.RetryElsewhere, 137, null, "CUDA")] },
            Stall = new StallSpec { Training = TimeSpan.Zero },
            Grace = TimeSpan.FromSeconds(3),
        };
        TaskSpec? received = null;
        Node.OnSubmit = spec =>
        {
            received = spec;
            return new CommandAccepted(TaskId.Parse("whole-1"), Existed: true);
        };

        HttpResponseMessage response = await PostAsync("/v1/tasks", JsonSerializer.Serialize(sent, ApiJson.Default.TaskSpec));

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        JsonSerializer.Serialize(received!, ApiJson.Default.TaskSpec).ShouldBe(JsonSerializer.Serialize(sent, ApiJson.Default.TaskSpec));
    }

    [Theory]
    [InlineData("""{"name":"x","slotz":2}""", "'slotz' is not a key of a task specification", "did you mean slots?")]
    [InlineData(
        """{"name":"x","checkpoint":{"keeplast":2}}""",
        "'checkpoint.keeplast' is not a key of a task specification",
        "did you mean keepLast or keepBest?"
    )]
    [InlineData(
        """{"name":"x","slots":"many"}""",
        "the value at 'slots' has the wrong form",
        "see docs/formats/http-api.md for each key's form"
    )]
    [InlineData("""{"command":["true"]}""", "the specification has no 'name'", "add \"name\": lower-case letters, digits and dashes")]
    [InlineData("[]", "the body is not a JSON object", "send a task specification, see docs/formats/http-api.md")]
    [InlineData("{", "the body is not JSON: line 1, byte 2", "send one JSON object")]
    public async Task SubmitTask_BadBody_Is400WithWhatToDo(string body, string error, string advice)
    {
        HttpResponseMessage response = await PostAsync("/v1/tasks", body);

        await ShouldBeProblemAsync(response, HttpStatusCode.BadRequest, error, advice);
        Node.Asked.ShouldBeEmpty();
    }

    [Fact]
    public async Task SubmitTask_Refused_Is409WithReason()
    {
        Node.OnSubmit = _ => new CommandRefused("the name 'x' is taken by another specification; use another name");

        HttpResponseMessage response = await PostAsync("/v1/tasks", """{"name":"x"}""");

        await ShouldBeProblemAsync(
            response,
            HttpStatusCode.Conflict,
            "the name 'x' is taken by another specification; use another name",
            ""
        );
    }

    [Fact]
    public async Task SubmitTask_Unavailable_Is503()
    {
        Node.OnSubmit = _ => new CommandUnavailable("shard 3 has no owner yet");

        HttpResponseMessage response = await PostAsync("/v1/tasks", """{"name":"x"}""");

        await ShouldBeProblemAsync(
            response,
            HttpStatusCode.ServiceUnavailable,
            "shard 3 has no owner yet",
            "try again in a few seconds, or ask another node (--node); 'actortrainer cluster show' says which are up"
        );
    }

    [Fact]
    public async Task ListTasks_Unfinished_LeavesFinishedOnesOut()
    {
        JsonNode all = await GetAsync("/v1/tasks");
        JsonNode unfinished = await GetAsync("/v1/tasks?unfinished=true");

        all["tasks"]!.AsArray().Count.ShouldBe(5);
        Names(unfinished).ShouldBe(["digits-a", "digits-b", "shakespeare"]);
    }

    [Fact]
    public async Task ListTasks_RunsHere_ShowsLiveProgress()
    {
        JsonNode task = (await GetAsync("/v1/tasks"))["tasks"]!.AsArray().Single(task => task!["name"]!.GetValue<string>() == "digits-a")!;

        task["live"]!.GetValue<bool>().ShouldBeTrue();
        task["progress"]!["step"]!.GetValue<long>().ShouldBe(1234);
        task["status"]!.GetValue<string>().ShouldBe("running");
        task["node"]!.GetValue<string>().ShouldBe("127.0.0.1:7401");
    }

    [Fact]
    public async Task ListTasks_LossIsNotANumber_IsStillAnswered()
    {
        Node.Live[SampleCluster.Digits] = new TaskProgress(2_000, null, 0, new Dictionary<string, double> { ["loss"] = double.NaN });

        JsonNode details = await GetAsync("/v1/tasks/digits-a");

        details["task"]!["progress"]!["metrics"]!["loss"]!.GetValue<string>().ShouldBe("NaN");
    }

    [Fact]
    public async Task ListTasks_JournalAway_Is503()
    {
        Node.JournalDown = "the disk is full";

        await ShouldBeProblemAsync(
            await Http.GetAsync("/v1/tasks"),
            HttpStatusCode.ServiceUnavailable,
            "the journal cannot be read now: the disk is full",
            "training goes on; try again in a few seconds, and if it stays so see to the journal's database "
                + "(the log of the node says what is wrong)"
        );
    }

    [Theory]
    [InlineData("digits-a")]
    [InlineData("digits-a-k3f9")]
    public async Task ShowTask_ByNameOrId_HasSpecificationAndOwner(string task)
    {
        JsonNode details = await GetAsync($"/v1/tasks/{task}");

        details["task"]!["task"]!.GetValue<string>().ShouldBe("digits-a-k3f9");
        details["owner"]!.GetValue<string>().ShouldBe("127.0.0.1:7401");
        details["term"]!.GetValue<long>().ShouldBe(1);
        details["spec"]!["trainer"]!["type"]!.GetValue<string>().ShouldBe("Digits.DigitsTrainer");
    }

    [Theory]
    [InlineData("digit-a", "did you mean digits-a or digits-b?")]
    [InlineData("shake", "did you mean shakespeare?")]
    [InlineData("qqqqqqqq", "list the tasks with 'actortrainer tasks ls'")]
    public async Task ShowTask_Unknown_Is404WithNearestNames(string asked, string advice) =>
        await ShouldBeProblemAsync(
            await Http.GetAsync($"/v1/tasks/{asked}"),
            HttpStatusCode.NotFound,
            $"there is no task '{asked}'",
            advice
        );

    [Fact]
    public async Task ShowTask_NameIsAnothersId_Is404ThatNamesBoth()
    {
        Node.Put(
            new(Node.View.Tasks[0] with { Task = TaskId.Parse("other-1"), Name = "digits-a-k3f9" }, SampleCluster.Now, SampleCluster.Now)
        );

        await ShouldBeProblemAsync(
            await Http.GetAsync("/v1/tasks/digits-a-k3f9"),
            HttpStatusCode.NotFound,
            "'digits-a-k3f9' is the id of one task and the name of another: digits-a-k3f9, other-1",
            "use the id of the one you mean"
        );
    }

    [Theory]
    [InlineData("pause", "PauseTask digits-a-k3f9")]
    [InlineData("resume", "ResumeTask digits-a-k3f9")]
    [InlineData("cancel", "CancelTask digits-a-k3f9")]
    [InlineData("save", "SaveTask digits-a-k3f9")]
    [InlineData("migrate", "MigrateTask digits-a-k3f9")]
    public async Task Command_Accepted_ReachesTheTask(string command, string asked)
    {
        HttpResponseMessage response = await Http.PostAsync($"/v1/tasks/digits-a/{command}", null);

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        Node.Asked.ShouldBe([asked]);
    }

    [Fact]
    public async Task Migrate_ToNodeByName_SendsItsAddress()
    {
        (await PostAsync("/v1/tasks/digits-a/migrate", """{"to":"beta"}""")).StatusCode.ShouldBe(HttpStatusCode.OK);

        Node.Asked.ShouldBe(["MigrateTask digits-a-k3f9 127.0.0.1:7402"]);
    }

    [Fact]
    public async Task Migrate_ToLostNode_Is404ThatNamesTheOthers() =>
        await ShouldBeProblemAsync(
            await PostAsync("/v1/tasks/digits-a/migrate", """{"to":"127.0.0.1:7403"}"""),
            HttpStatusCode.NotFound,
            "no node of this cluster is called '127.0.0.1:7403'",
            "use one of 127.0.0.1:7401, 127.0.0.1:7402"
        );

    [Fact]
    public async Task Events_AfterSequence_GivesTheRest()
    {
        JsonArray events = (await GetAsync("/v1/tasks/digits-a/events?after=8"))["events"]!.AsArray();

        events.Select(row => row!["event"]!["type"]!.GetValue<string>()).ShouldBe(["started", "retry-scheduled", "checkpointed"]);
    }

    [Fact]
    public async Task Metrics_OfATask_AreItsPointsWithWhatIsNotFinite()
    {
        Node.Metrics = Node.Metrics.With(
            new MetricPoint(10, 0.5, DateTimeOffset.UnixEpoch, new Dictionary<string, double> { ["loss"] = double.NaN })
        );

        JsonNode point = (await GetAsync("/v1/tasks/digits-a/metrics"))["points"]!.AsArray().Single()!;

        point["step"]!.GetValue<int>().ShouldBe(10);
        point["metrics"]!["loss"]!.GetValue<string>().ShouldBe("NaN");
    }

    [Theory]
    [InlineData("/v1/tasks/digits-a/events?after=x", "'after=x' is not a number")]
    [InlineData("/v1/tasks?unfinished=maybe", "'unfinished=maybe' is not true or false")]
    [InlineData("/v1/tasks/digits-a/logs?term=1", "'term' and 'run' go together")]
    public async Task Query_BadValue_Is400(string path, string error)
    {
        HttpResponseMessage response = await Http.GetAsync(path);

        response.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await JsonAsync(response))["error"]!.GetValue<string>().ShouldBe(error);
    }

    [Fact]
    public async Task Checkpoints_OfTask_AreListed()
    {
        JsonArray checkpoints = (await GetAsync("/v1/checkpoints?task=digits-a"))["checkpoints"]!.AsArray();

        checkpoints.Select(row => row!["damaged"]!.GetValue<bool>()).ShouldBe([false, true]);
        (await GetAsync("/v1/checkpoints?task=warmup"))["checkpoints"]!.AsArray().ShouldBeEmpty();
    }

    [Fact]
    public async Task VerifyCheckpoint_Found_SaysWhatWasRead()
    {
        Node.OnVerify = name => new CheckpointVerification(name, true, false, 4096, "p-1: chunk 3 has another hash");

        JsonNode result = await JsonAsync(await Http.PostAsync("/v1/checkpoints/digits-a/c-3-1000-x7q2/verify", null));

        result["intact"]!.GetValue<bool>().ShouldBeFalse();
        result["detail"]!.GetValue<string>().ShouldBe("p-1: chunk 3 has another hash");
    }

    [Fact]
    public async Task VerifyCheckpoint_Unknown_Is404() =>
        await ShouldBeProblemAsync(
            await Http.PostAsync("/v1/checkpoints/digits-a/nope/verify", null),
            HttpStatusCode.NotFound,
            "task 'digits-a' has no checkpoint 'nope'",
            "list its checkpoints with 'actortrainer checkpoints ls digits-a'"
        );

    [Fact]
    public async Task Version_Asked_NamesProductAndApi()
    {
        JsonNode version = await GetAsync("/v1/version");

        version["product"]!.GetValue<string>().ShouldBe("ActorTrainer");
        version["api"]!.GetValue<int>().ShouldBe(1);
        version["incarnation"]!.GetValue<long>().ShouldBe(4);
        version["cluster"]!.GetValue<string>().ShouldBe("actortrainer");
    }

    private static IEnumerable<string> Names(JsonNode list) => list["tasks"]!.AsArray().Select(task => task!["name"]!.GetValue<string>());
}
