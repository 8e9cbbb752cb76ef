using System.Net;
using ActorTrainer.Checkpoints.Bundles;
using ActorTrainer.Client;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Testing.Checkpoints;

namespace ActorTrainer.Runtime.Tests.Api;

public sealed class BundleEndpointsTests : ApiTests
{
    private static readonly string Hash = new('a', 64);

    [Fact]
    public async Task Put_BundleOfSeveralMegabytes_IsThereForTheNextOne()
    {
        using TemporaryFolder folder = new();
        BundleListing listing = Bundle(folder);
        using ActorTrainerClient client = new(new ActorTrainerClientOptions { Nodes = [NodeAddress.Parse(Http.BaseAddress!.Authority)] });
        (await client.HasBundleAsync(listing.Bundle.Hash)).ShouldBeFalse();

        BundleSpec put = await client.UploadBundleAsync(listing.Bundle.Hash, listing.WriteAsync);

        put.ShouldBe(listing.Bundle);
        (await client.HasBundleAsync(listing.Bundle.Hash)).ShouldBeTrue();
        await Node.Bundles.UnpackAsync(listing.Bundle.Hash, folder["out"], CancellationToken.None);
        File.ReadAllBytes(folder["out/weights"]).AsSpan().SequenceEqual(File.ReadAllBytes(folder["code/weights"])).ShouldBeTrue();
    }

    [Fact]
    public async Task Head_UnknownOrNoHash_Is404WithoutABody()
    {
        foreach (string hash in (string[])[Hash, "x", "..%2F..%2Fetc"])
        {
            using HttpRequestMessage head = new(HttpMethod.Head, $"/v1/bundles/{hash}");

            HttpResponseMessage response = await Http.SendAsync(head);

            response.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        }
    }

    [Fact]
    public async Task Put_OtherContentOrNoHash_IsRefusedWithTheReason()
    {
        using TemporaryFolder folder = new();
        BundleListing listing = Bundle(folder);
        using MemoryStream archive = new();
        await listing.WriteAsync(archive);

        await ShouldBeProblemAsync(
            await Http.PutAsync($"/v1/bundles/{Hash}", new ByteArrayContent(archive.ToArray())),
            HttpStatusCode.BadRequest,
            $"The archive's content has the hash {listing.Bundle.ShortHash} and not aaaaaaaaaaaa: a file was changed while it was read, "
                + "or bytes got lost. Submit the task once more",
            "see docs/formats/checkpoint.md for what a bundle is"
        );
        await ShouldBeProblemAsync(
            await Http.PutAsync("/v1/bundles/x", new ByteArrayContent([1])),
            HttpStatusCode.BadRequest,
            "'x' is not a bundle's hash",
            "it is 64 lower-case hexadecimal digits, see docs/formats/checkpoint.md"
        );
        (await Http.PutAsync($"/v1/bundles/{Hash}", new ByteArrayContent([1, 2, 3]))).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task Put_StoreAway_Is503()
    {
        Node.Bundles = new FolderBundles(new CheckpointStoreModel { Path = "/dev/null/x" }, TimeProvider.System);

        HttpResponseMessage response = await Http.PutAsync($"/v1/bundles/{Hash}", new ByteArrayContent([1]));

        response.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
    }

    /// <summary>Bytes that do not shrink, more than a server takes of a body unless told otherwise.</summary>
    private BundleListing Bundle(TemporaryFolder folder)
    {
        Node.Bundles = new FolderBundles(new CheckpointStoreModel { Path = folder["store"] }, TimeProvider.System);
        Directory.CreateDirectory(folder["code"]);
        byte[] weights = new byte[40 << 20];
        DeterministicRandom random = new(7);
        for (int at = 0; at < weights.Length; at += sizeof(ulong))
        {
            BitConverter.TryWriteBytes(weights.AsSpan(at), random.NextUInt64());
        }

        File.WriteAllBytes(folder["code/weights"], weights);
        return BundleListing.Read(new BundleSource(folder["code"]), new TaskSpec { Name = "a", Command = ["x"] });
    }
}
