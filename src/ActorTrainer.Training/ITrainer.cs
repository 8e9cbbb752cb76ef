namespace ActorTrainer.Training;

/// <summary>
/// Training code in C#. It runs in a process of its own; the calls come one at a time, in the order
/// <see cref="InitializeAsync"/>, <see cref="LoadAsync"/> (when there is a checkpoint), then <see cref="StepAsync"/> until it says that
/// training is done, with <see cref="SaveAsync"/> and <see cref="EvaluateAsync"/> between steps.
/// </summary>
/// <remarks>
/// A run that goes on from a checkpoint ends with the same bits as one that was never interrupted when everything that changes
/// during training is saved: parameters, the optimizer's moments, the schedule's position, <see cref="DataCursor"/> and every
/// <see cref="SeededGenerator"/>.
/// <para>
/// The token is cancelled when the worker is asked to stop. A step that heeds it ends early with <see cref="OperationCanceledException"/>
/// and is done again in the next run; one that does not is waited for, up to the task's <c>grace</c>.
/// </para>
/// <para>A trainer that implements <see cref="IDisposable"/> or <see cref="IAsyncDisposable"/> is disposed of at the end.</para>
/// </remarks>
public interface ITrainer
{
    /// <summary>Reads data and builds the model as for a start from nothing.</summary>
    ValueTask InitializeAsync(TrainerContext context, CancellationToken cancellationToken);

    /// <summary>
    /// Does one step (one mini-batch, say). After a restore of a state that was complete there is nothing left to do: it then gives
    /// <see cref="StepResult.Done"/> at once.
    /// </summary>
    ValueTask<StepResult> StepAsync(CancellationToken cancellationToken);

    /// <summary>Writes the whole state. It must not change it.</summary>
    ValueTask SaveAsync(CheckpointWriter writer, CancellationToken cancellationToken);

    /// <summary>Takes over a saved state; may be called more than once before the first step.</summary>
    ValueTask LoadAsync(CheckpointReader reader, CancellationToken cancellationToken);

    /// <summary>Measures the model (accuracy, loss on held-out data). It must not change the state that is saved.</summary>
    ValueTask<IReadOnlyDictionary<string, double>> EvaluateAsync(CancellationToken cancellationToken);
}

/// <summary>What one step did.</summary>
/// <param name="Step">Steps done since the very beginning, this one included.</param>
/// <param name="TotalSteps">Steps in all, or null when not known.</param>
/// <param name="Epoch">Epochs done, with the part of the current one, for example 3.25.</param>
/// <param name="EndOfEpoch">Whether this step ended an epoch; the trainer is evaluated then.</param>
/// <param name="Done">Whether training is complete; no step follows.</param>
/// <param name="Metrics">Metrics of this step, for example the loss; null: none.</param>
public readonly record struct StepResult(
    long Step,
    long? TotalSteps,
    double Epoch,
    bool EndOfEpoch,
    bool Done,
    IReadOnlyDictionary<string, double>? Metrics = null
);
