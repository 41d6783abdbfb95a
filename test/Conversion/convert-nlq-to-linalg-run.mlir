// RUN: nlq-opt %s -convert-nlq-to-linalg %to_llvm | %run_main | FileCheck %s

// The kernel of convert-nlq-to-vector-run.mlir on its rows, through upstream's
// passes alone: shares of powers, e = [64, 16, 4, 1][min(max - x, 3)] and
// y = floor(100 e / sum e).

#shares = #nlq.graph<max_row_length = 64,
  inputs = [x : element i8 in [-128, 127]], tables = [[64, 16, 4, 1]],
  nodes = [n0 : element = input 0(), n1 : row = reduce_max(n0),
           n2 : element = sub(n1, n0), n3 : uniform = constant 3(),
           n4 : element = min(n2, n3), n5 : element = lookup 0(n4),
           n6 : uniform = constant 100(), n7 : element = mul(n5, n6),
           n8 : row = reduce_sum(n5), n9 : element = div floor(n7, n8)],
  result = n9 : i16>

// The largest element that takes part, and a row's number; both masks are for
// all rows that have none of their own.
#masked = #nlq.graph<max_row_length = 64,
  inputs = [x : element i8 in [-128, 127], mask : element i8 in [0, 1],
            r : row i8 in [0, 101]],
  nodes = [n0 : element = input 0(), n1 : element = input 1(),
           n2 : uniform = constant -128(), n3 : element = select(n1, n0, n2),
           n4 : row = reduce_max(n3), n5 : row = input 2(), n6 : row = add(n4, n5),
           n7 : element = sub(n6, n3)],
  result = n7 : i16>

func.func private @shares(%x: tensor<?x?xi8>, %y: tensor<?x?xi16>) -> tensor<?x?xi16> {
  %0 = nlq.kernel #shares ins(%x : tensor<?x?xi8>) outs(%y : tensor<?x?xi16>)
      -> tensor<?x?xi16>
  return %0 : tensor<?x?xi16>
}

func.func @main() {
  %x = arith.constant dense<[[5, 5, 4, 3, 2, 1, 0, -1, -2, -3, 5],
                             [-128, 127, 127, 126, 125, 124, 0, 0, 0, 0, 126],
                             [7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7]]> : tensor<3x11xi8>
  %c0 = arith.constant 0 : index
  %c0_i16 = arith.constant 0 : i16
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %c11 = arith.constant 11 : index
  %rows = tensor.cast %x : tensor<3x11xi8> to tensor<?x?xi8>
  %e = tensor.empty(%c3, %c11) : tensor<?x?xi16>
  %y = call @shares(%rows, %e) : (tensor<?x?xi8>, tensor<?x?xi16>) -> tensor<?x?xi16>
  // CHECK:      ( 29, 29, 7, 1, 0, 0, 0, 0, 0, 0, 29 )
  // CHECK-NEXT: ( 0, 37, 37, 9, 2, 0, 0, 0, 0, 0, 9 )
  // CHECK-NEXT: ( 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9 )
  scf.for %i = %c0 to %c3 step %c1 {
    %row = vector.transfer_read %y[%i, %c0], %c0_i16 {in_bounds = [true]}
        : tensor<?x?xi16>, vector<11xi16>
    vector.print %row : vector<11xi16>
  }

  // CHECK-NEXT: ( 110, 239, 101 )
  // CHECK-NEXT: ( 101, 235, 102 )
  // CHECK-NEXT: ( 101, 239, 110 )
  // CHECK-NEXT: ( 102, 235, 101 )
  %z = arith.constant dense<[[[1, 50, 10], [6, 100, 5]], [[10, 20, 1], [5, 3, 6]]]>
      : tensor<2x2x3xi8>
  %mask = arith.constant dense<[[[1, 0, 1]]]> : tensor<1x1x3xi8>
  %r = arith.constant dense<[[101], [101]]> : tensor<2x1xi8>
  %init = tensor.empty() : tensor<2x2x3xi16>
  %w = nlq.kernel #masked
      ins(%z, %mask, %r : tensor<2x2x3xi8>, tensor<1x1x3xi8>, tensor<2x1xi8>)
      outs(%init : tensor<2x2x3xi16>) -> tensor<2x2x3xi16>
  %c2 = arith.constant 2 : index
  scf.for %i = %c0 to %c2 step %c1 {
    scf.for %j = %c0 to %c2 step %c1 {
      %row = vector.transfer_read %w[%i, %j, %c0], %c0_i16 {in_bounds = [true]}
          : tensor<2x2x3xi16>, vector<3xi16>
      vector.print %row : vector<3xi16>
    }
  }
  return
}
