using ActorTrainer.Checkpoints;
using ActorTrainer.Checkpoints.S3;
using ActorTrainer.Core.Configuration;

namespace ActorTrainer.Cli.Doctor;

/// <summary>Checks what keeps the checkpoints besides the folder.</summary>
internal static class StoreChecks
{
    private const string Name = "bucket";

    /// <summary>Half of what the doctor takes for all of its checks.</summary>
    private static readonly TimeSpan RetryFor = TimeSpan.FromSeconds(5);

    public static async Task<IReadOnlyList<Finding>> RunAsync(
        CheckpointStoreModel model,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        CheckpointStoreKind kind = model.Store == CheckpointStoreKind.Tiered ? model.Tiered.Remote : model.Store;
        return kind switch
        {
            CheckpointStoreKind.S3 => [await BucketAsync(model, time, cancellationToken)],
            CheckpointStoreKind.Folder when model is { Store: CheckpointStoreKind.Tiered, Tiered.RemotePath: { } path } =>
            [
                MachineChecks.Folder("remote folder", path, "actortrainer.checkpoints.tiered.remote-path", localOnly: false, time),
            ],
            _ => [],
        };
    }

    private static async Task<Finding> BucketAsync(CheckpointStoreModel model, TimeProvider time, CancellationToken cancellationToken)
    {
        // Somebody waits for the answer: no longer than the other checks take.
        S3StoreModel bounded = model.S3 with
        {
            RetryFor = model.S3.RetryFor < RetryFor ? model.S3.RetryFor : RetryFor,
            RequestTimeout = model.S3.RequestTimeout < RetryFor ? model.S3.RequestTimeout : RetryFor,
        };
        string place = $"s3://{model.S3.Bucket}";
        try
        {
            using S3Store store = new(model with { S3 = bounded }, time);
            place = store.Place;
            await store.CheckAsync(cancellationToken);
            return new Finding(Name, Level.Ok, $"{place} answers and can be written");
        }
        catch (CheckpointStoreException e)
        {
            return new Finding(Name, Level.Fail, e.Message);
        }
        catch (OperationCanceledException)
        {
            return new Finding(
                Name,
                Level.Fail,
                $"{place} did not answer in time",
                "check the network and actortrainer.checkpoints.s3.endpoint"
            );
        }
    }
}
