using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using ActorTrainer.Client;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Testing.Api;

namespace ActorTrainer.Runtime.Tests.Api;

public sealed class ApiEndpointsTests : IAsyncLifetime
{
    private readonly FakeNode _node = SampleCluster.Create();
    private ApiServer _server = null!;
    private HttpClient _http = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await ApiServer.StartAsync(_node);
        _http = new HttpClient { BaseAddress = new Uri($"http://{_server.Address}") };
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task SubmitTask_NewTask_Is201WithLocationAndDefaults()
    {
        TaskSpec? received = null;
        _node.OnSubmit = spec =>
        {
            received = spec;
            return new CommandAccepted(TaskId.Parse("one-x1x1"));
        };

        HttpResponseMessage response = await PostAsync("/v1/tasks", """{"name":"one","command":["true"],"checkpoint":{"keepLast":2},"retry":null}""");

        response.StatusCode.ShouldBe(HttpStatusCode.Created);
        response.Headers.Location!.ToString().ShouldBe("/v1/tasks/one-x1x1");
        (await JsonAsync(response))["type"]!.GetValue<string>().ShouldBe("accepted");
        received.ShouldNotBeNull();
        received.Slots.ShouldBe(1);
        received.Grace.ShouldBe(TimeSpan.FromSeconds(8));
        received.Checkpoint.KeepLast.ShouldBe(2);
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
            Checkpoint = new CheckpointSpec { Strategy = CheckpointStrategy.Interval, Interval = TimeSpan.FromSeconds(20), BestMetric = "loss" },
            Retry = new RetrySpec { Rules = [new FailureRule("oom", FailureAction.RetryElsewhere, 137, null, "CUDA")] },
            Stall = new StallSpec { Training = TimeSpan.Zero },
            Grace = TimeSpan.FromSeconds(3),
        };
        TaskSpec? received = null;
        _node.OnSubmit = spec =>
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
    [InlineData("""{"name":"x","checkpoint":{"keeplast":2}}""", "'checkpoint.keeplast' is not a key of a task specification", "did you mean keepLast?")]
    [InlineData("""{"name":"x","slots":"many"}""", "the value at 'slots' has the wrong form", "see docs/formats/http-api.md for each key's form")]
    [InlineData("""{"command":["true"]}""", "the specification has no 'name'", "add \"name\": lower-case letters, digits and dashes")]
    [InlineData("[]", "the body is not a JSON object", "send a task specification, see docs/formats/http-api.md")]
    [InlineData("{", "the body is not JSON: line 1, byte 2", "send one JSON object")]
    public async Task SubmitTask_BadBody_Is400WithWhatToDo(string body, string error, string advice)
    {
        HttpResponseMessage response = await PostAsync("/v1/tasks", body);

        await ShouldBeProblemAsync(response, HttpStatusCode.BadRequest, error, advice);
        _node.Asked.ShouldBeEmpty();
    }

    [Fact]
    public async Task SubmitTask_Refused_Is409WithReason()
    {
        _node.OnSubmit = _ => new CommandRefused("the name 'x' is taken by another specification; use another name");

        HttpResponseMessage response = await PostAsync("/v1/tasks", """{"name":"x"}""");

        await ShouldBeProblemAsync(response, HttpStatusCode.Conflict, "the name 'x' is taken by another specification; use another name", "");
    }

    [Fact]
    public async Task SubmitTask_Unavailable_Is503()
    {
        _node.OnSubmit = _ => new CommandUnavailable("shard 3 has no owner yet");

        HttpResponseMessage response = await PostAsync("/v1/tasks", """{"name":"x"}""");

        await ShouldBeProblemAsync(response, HttpStatusCode.ServiceUnavailable, "shard 3 has no owner yet", "ask again in a moment");
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
        _node.Live[SampleCluster.Digits] = new TaskProgress(2_000, null, 0, new Dictionary<string, double> { ["loss"] = double.NaN });

        JsonNode details = await GetAsync("/v1/tasks/digits-a");

        details["task"]!["progress"]!["metrics"]!["loss"]!.GetValue<string>().ShouldBe("NaN");
    }

    [Fact]
    public async Task ListTasks_JournalAway_Is503()
    {
        _node.JournalDown = "the disk is full";

        await ShouldBeProblemAsync(
            await _http.GetAsync("/v1/tasks"),
            HttpStatusCode.ServiceUnavailable,
            "the journal cannot be read now: the disk is full",
            "training goes on; ask again in a moment");
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
        await ShouldBeProblemAsync(await _http.GetAsync($"/v1/tasks/{asked}"), HttpStatusCode.NotFound, $"there is no task '{asked}'", advice);

    [Fact]
    public async Task ShowTask_NameIsAnothersId_Is404ThatNamesBoth()
    {
        _node.Put(new(_node.View.Tasks[0] with { Task = TaskId.Parse("other-1"), Name = "digits-a-k3f9" }, SampleCluster.Now, SampleCluster.Now));

        await ShouldBeProblemAsync(
            await _http.GetAsync("/v1/tasks/digits-a-k3f9"),
            HttpStatusCode.NotFound,
            "'digits-a-k3f9' is the id of one task and the name of another: digits-a-k3f9, other-1",
            "use the id of the one you mean");
    }

    [Theory]
    [InlineData("pause", "PauseTask digits-a-k3f9")]
    [InlineData("resume", "ResumeTask digits-a-k3f9")]
    [InlineData("cancel", "CancelTask digits-a-k3f9")]
    [InlineData("save", "SaveTask digits-a-k3f9")]
    [InlineData("migrate", "MigrateTask digits-a-k3f9")]
    public async Task Command_Accepted_ReachesTheTask(string command, string asked)
    {
        HttpResponseMessage response = await _http.PostAsync($"/v1/tasks/digits-a/{command}", null);

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        _node.Asked.ShouldBe([asked]);
    }

    [Fact]
    public async Task Migrate_ToNodeByName_SendsItsAddress()
    {
        (await PostAsync("/v1/tasks/digits-a/migrate", """{"to":"beta"}""")).StatusCode.ShouldBe(HttpStatusCode.OK);

        _node.Asked.ShouldBe(["MigrateTask digits-a-k3f9 127.0.0.1:7402"]);
    }

    [Fact]
    public async Task Migrate_ToLostNode_Is404ThatNamesTheOthers() =>
        await ShouldBeProblemAsync(
            await PostAsync("/v1/tasks/digits-a/migrate", """{"to":"127.0.0.1:7403"}"""),
            HttpStatusCode.NotFound,
            "no node of this cluster is called '127.0.0.1:7403'",
            "use one of 127.0.0.1:7401, 127.0.0.1:7402");

    [Fact]
    public async Task Events_AfterSequence_GivesTheRest()
    {
        JsonArray events = (await GetAsync("/v1/tasks/digits-a/events?after=8"))["events"]!.AsArray();

        events.Select(row => row!["event"]!["type"]!.GetValue<string>()).ShouldBe(["started", "retry-scheduled", "checkpointed"]);
    }

    [Fact]
    public async Task Metrics_OfATask_AreItsPointsWithWhatIsNotFinite()
    {
        _node.Metrics = _node.Metrics.With(new MetricPoint(10, 0.5, DateTimeOffset.UnixEpoch, new Dictionary<string, double> { ["loss"] = double.NaN }));

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
        HttpResponseMessage response = await _http.GetAsync(path);

        response.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await JsonAsync(response))["error"]!.GetValue<string>().ShouldBe(error);
    }

    [Fact]
    public async Task Cluster_ThreeMembers_ShowsGossipAndJournal()
    {
        JsonNode cluster = await GetAsync("/v1/cluster");

        cluster["self"]!.GetValue<long>().ShouldBe(4);
        cluster["unassignedShards"]!.GetValue<int>().ShouldBe(1);
        JsonNode alpha = cluster["members"]![0]!;
        alpha["leaseHolder"]!.GetValue<bool>().ShouldBeTrue();
        alpha["self"]!.GetValue<bool>().ShouldBeTrue();
        alpha["usedSlots"]!.GetValue<int>().ShouldBe(1);
        alpha["tasks"]!.GetValue<int>().ShouldBe(3);
        alpha["shards"]!.GetValue<int>().ShouldBe(7);
        cluster["members"]![1]!["cordoned"]!.GetValue<bool>().ShouldBeTrue();
        cluster["members"]![2]!["state"]!.GetValue<string>().ShouldBe("down");
        cluster["members"]![2]!["reachable"]!.GetValue<bool>().ShouldBeFalse();
    }

    [Theory]
    [InlineData("drain")]
    [InlineData("cordon")]
    [InlineData("uncordon")]
    public async Task NodeCommand_ByName_ReachesTheNode(string command)
    {
        (await PostAsync($"/v1/cluster/{command}", """{"node":"beta"}""")).StatusCode.ShouldBe(HttpStatusCode.OK);

        _node.Asked.ShouldBe([$"{command} 127.0.0.1:7402"]);
    }

    [Fact]
    public async Task Shards_Summary_CountsEachOwnersShards()
    {
        JsonNode shards = await GetAsync("/v1/shards");

        shards["numberOfShards"]!.GetValue<int>().ShouldBe(16);
        shards["owners"]!.AsArray().Select(owner => owner!["shards"]!.GetValue<int>()).ShouldBe([1, 7, 7, 1]);
    }

    [Fact]
    public async Task Shards_OfTask_NamesOwnerAndTasks()
    {
        JsonNode shard = await GetAsync("/v1/shards?task=digits-b");

        shard["shard"]!.GetValue<int>().ShouldBe(7);
        shard["address"]!.GetValue<string>().ShouldBe("127.0.0.1:7401");
        shard["tasks"]![0]!["name"]!.GetValue<string>().ShouldBe("digits-b");
    }

    [Fact]
    public async Task Shards_NoSuchNumber_Is404() =>
        await ShouldBeProblemAsync(await _http.GetAsync("/v1/shards?shard=99"), HttpStatusCode.NotFound, "there is no shard 99", "use 0 to 15");

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
        _node.OnVerify = name => new CheckpointVerification(name, true, false, 4096, "p-1: chunk 3 has another hash");

        JsonNode result = await JsonAsync(await _http.PostAsync("/v1/checkpoints/digits-a/c-3-1000-x7q2/verify", null));

        result["intact"]!.GetValue<bool>().ShouldBeFalse();
        result["detail"]!.GetValue<string>().ShouldBe("p-1: chunk 3 has another hash");
    }

    [Fact]
    public async Task VerifyCheckpoint_Unknown_Is404() =>
        await ShouldBeProblemAsync(
            await _http.PostAsync("/v1/checkpoints/digits-a/nope/verify", null),
            HttpStatusCode.NotFound,
            "task 'digits-a' has no checkpoint 'nope'",
            "list its checkpoints with 'actortrainer checkpoints ls digits-a'");

    [Fact]
    public async Task Version_Asked_NamesProductAndApi()
    {
        JsonNode version = await GetAsync("/v1/version");

        version["product"]!.GetValue<string>().ShouldBe("ActorTrainer");
        version["api"]!.GetValue<int>().ShouldBe(1);
        version["incarnation"]!.GetValue<long>().ShouldBe(4);
        version["cluster"]!.GetValue<string>().ShouldBe("actortrainer");
    }

    private static async Task<JsonNode> JsonAsync(HttpResponseMessage response) =>
        JsonNode.Parse(await response.Content.ReadAsStringAsync())!;

    private static IEnumerable<string> Names(JsonNode list) => list["tasks"]!.AsArray().Select(task => task!["name"]!.GetValue<string>());

    private static async Task ShouldBeProblemAsync(HttpResponseMessage response, HttpStatusCode status, string error, string advice)
    {
        response.StatusCode.ShouldBe(status);
        response.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json");
        JsonNode problem = await JsonAsync(response);
        problem["error"]!.GetValue<string>().ShouldBe(error);
        problem["advice"]!.GetValue<string>().ShouldBe(advice);
        problem["status"]!.GetValue<int>().ShouldBe((int)status);
        problem["where"]!.GetValue<string>().ShouldContain("/v1/");
    }

    private async Task<JsonNode> GetAsync(string path)
    {
        HttpResponseMessage response = await _http.GetAsync(path);
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        return await JsonAsync(response);
    }

    private Task<HttpResponseMessage> PostAsync(string path, string json) =>
        _http.PostAsync(path, new StringContent(json, Encoding.UTF8, "application/json"));
}
