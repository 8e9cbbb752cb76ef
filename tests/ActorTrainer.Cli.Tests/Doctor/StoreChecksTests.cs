using System.Net;
using System.Net.Sockets;
using ActorTrainer.Cli.Doctor;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Testing.Checkpoints;

namespace ActorTrainer.Cli.Tests.Doctor;

public sealed class StoreChecksTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Run_Folder_HasNothingMoreToLookAt() => (await RunAsync(new CheckpointStoreModel())).ShouldBeEmpty();

    [Fact]
    public async Task Run_SecondFolder_IsWrittenTo()
    {
        Finding finding = (
            await RunAsync(
                new CheckpointStoreModel
                {
                    Store = CheckpointStoreKind.Tiered,
                    Tiered = new TieredStoreModel { Remote = CheckpointStoreKind.Folder, RemotePath = _folder.Root },
                }
            )
        ).ShouldHaveSingleItem();
        finding.Check.ShouldBe("remote folder");
        finding.Found.ShouldContain("a synced write takes");
    }

    [Theory]
    [InlineData(CheckpointStoreKind.S3)]
    [InlineData(CheckpointStoreKind.Tiered)]
    public async Task Run_BucketThatCannotBeReached_FailsAndSaysWhy(CheckpointStoreKind kind)
    {
        string keys = _folder["keys"];
        await File.WriteAllTextAsync(keys, "[default]\naws_access_key_id = id\naws_secret_access_key = hush-hush\n");
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        int port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();

        Finding finding = (await RunAsync(Model(kind, $"http://127.0.0.1:{port}", keys))).ShouldHaveSingleItem();

        finding.Level.ShouldBe(Level.Fail);
        finding.Found.ShouldStartWith("The checkpoint store at s3://trainings is away: writing actortrainer-check-");
        finding.Found.ShouldContain("Connection refused");
        finding.Found.ShouldNotContain("hush-hush");
    }

    [Fact]
    public async Task Run_CredentialsFileIsMissing_FailsAndNamesIt()
    {
        Finding finding = (await RunAsync(Model(CheckpointStoreKind.S3, "http://127.0.0.1:1", _folder["keys"]))).ShouldHaveSingleItem();
        finding.Level.ShouldBe(Level.Fail);
        finding.Found.ShouldContain(_folder["keys"]);
    }

    private static Task<IReadOnlyList<Finding>> RunAsync(CheckpointStoreModel model) =>
        StoreChecks.RunAsync(model, TimeProvider.System, CancellationToken.None);

    private static CheckpointStoreModel Model(CheckpointStoreKind kind, string endpoint, string keys) =>
        new()
        {
            Store = kind,
            S3 = new S3StoreModel
            {
                Bucket = "trainings",
                Endpoint = new Uri(endpoint),
                PathStyle = true,
                CredentialsFile = keys,
                RetryFor = TimeSpan.FromMilliseconds(100),
            },
        };
}
